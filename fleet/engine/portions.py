"""A number of clusters, or a percentage of them, as placements and budgets say it."""


def portion(value: int | str, total: int) -> int:
    """Read `3` or `25%`; a percentage is rounded up, as KubeFleet does."""
    text = str(value)
    return -(-int(text[:-1]) * total // 100) if text.endswith("%") else int(text)
