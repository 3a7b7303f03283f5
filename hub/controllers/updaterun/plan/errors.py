"""Why a run does not go on.

RunError
├── NotYetError      what it needs is on its way: look again
└── EndError         it can never go on: tell the user, and stop
    ├── InvalidError     it does not fit what there is (any more)
    └── AbortedError     what it did was undone by another; ends its stage too
"""


class RunError(Exception):
    """Base of all reasons; the message is for people."""


class NotYetError(RunError): ...


class EndError(RunError): ...


class InvalidError(EndError): ...


class AbortedError(EndError):
    """With the clusters to which it happened, and what."""

    def __init__(self, message: str, clusters: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.clusters = clusters or {}
