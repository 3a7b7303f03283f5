"""What doctor says of a thing that it looked at."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    state: State
    message: str
    way_out: str = ""


def wrong(found: list[Finding]) -> bool:
    return any(finding.state is State.FAILED for finding in found)


def document(found: list[Finding]) -> dict[str, Any]:
    """Return what `-o json` and `-o yaml` print."""
    checks = [
        {
            "check": finding.check,
            "state": str(finding.state),
            "message": finding.message,
            "wayOut": finding.way_out,
        }
        for finding in found
    ]
    return {"ok": not wrong(found), "checks": checks}
