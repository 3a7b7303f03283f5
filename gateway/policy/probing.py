"""What a row of probes says about an endpoint."""

from enum import StrEnum


class Outcome(StrEnum):
    UP = "up"
    DOWN = "down"
    """It says so itself, or nobody is there."""
    SILENT = "silent"
    """No answer in time: chance, if it happens once."""


SILENT_LIMIT = 2
"""Silent probes in a row that make an endpoint down."""


class Verdict:
    """Of one endpoint; believes news at once, silence only when it lasts."""

    __slots__ = ("_silent", "up")

    def __init__(self) -> None:
        self.up: bool | None = None
        self._silent = 0

    def heard(self, outcome: Outcome) -> None:
        self._silent = self._silent + 1 if outcome is Outcome.SILENT else 0
        if outcome is not Outcome.SILENT:
            self.up = outcome is Outcome.UP
        elif self._silent >= SILENT_LIMIT:
            self.up = False
