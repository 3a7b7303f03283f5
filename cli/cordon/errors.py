"""What keeps a cluster from being cordoned or drained."""


class CordonError(Exception):
    """It cannot be done, or not all of it; the text says what and what to do."""
