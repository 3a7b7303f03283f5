"""Who wrote what, in which order, as an API server's audit log has it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

AUDITED: Final = "audited"
"""The group of users whose writes are logged."""
POLICY: Final = f"""\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
    userGroups: [{AUDITED}]
    verbs: [create, update, patch, delete, deletecollection]
  - level: None
"""
CREATED: Final = 201
SUCCESSES: Final = range(200, 300)


@dataclass(frozen=True, slots=True, order=True)
class Write:
    """A write that the server carried out."""

    at: str
    """When the server got it."""
    user: str
    verb: str
    resource: str
    """Plural of the kind, with its subresource."""
    namespace: str
    name: str
    created: bool


def writes(log: Path) -> list[Write]:
    """Read what audited users have written, in the order in which it came."""
    events = map(msgspec.json.decode, log.read_bytes().splitlines())
    return sorted(_write(event) for event in events if _code(event) in SUCCESSES)


def twice(written: Iterable[Write]) -> list[str]:
    """Name the objects that were made more than once."""
    made = [f"{w.resource} {w.namespace}/{w.name}" for w in written if w.created]
    return sorted({each for each in made if made.count(each) > 1})


def turns(written: Iterable[Write]) -> list[str]:
    """Name who wrote, one after the other, and again whoever wrote once more after another."""
    users = [write.user for write in written]
    return [user for user, before in zip(users, [None, *users], strict=False) if user != before]


def _code(event: Any) -> int:
    return int(event.get("responseStatus", {}).get("code", 0))


def _write(event: Any) -> Write:
    object_ = event.get("objectRef", {})
    return Write(
        at=event["requestReceivedTimestamp"],
        user=event["user"]["username"],
        verb=event["verb"],
        resource="/".join(filter(None, (object_["resource"], object_.get("subresource", "")))),
        namespace=object_.get("namespace", ""),
        name=object_.get("name", ""),
        created=_code(event) == CREATED,
    )
