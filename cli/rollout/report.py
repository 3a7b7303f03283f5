"""How far a rollout is, as people and programs are told: each step with its state and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from fleet.api.conditions import Condition


class State(StrEnum):
    PENDING = "pending"
    READY = "ready"
    UPDATING = "updating"
    WAITING = "waiting"
    STUCK = "stuck"
    STOPPING = "stopping"
    STOPPED = "stopped"
    LEAVING = "leaving"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


class Part(StrEnum):
    """What a step is; in the plural it is the name of their list."""

    STAGE = "stages"
    TASK = "tasks"
    CLUSTER = "clusters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A rollout, or a part of one."""

    part: Part | None = None
    name: str
    state: State
    why: Condition | None = None
    """What says so; None where nothing was said yet."""
    facts: Mapping[str, str | int] = field(default_factory=dict)
    """What else is known, under the names that programs read."""
    steps: tuple["Step", ...] = ()

    @property
    def reason(self) -> str:
        return self.why.reason if self.why else ""

    @property
    def message(self) -> str:
        return self.why.message if self.why else ""

    @property
    def since(self) -> datetime | None:
        return self.why.last_transition_time if self.why else None

    def document(self) -> dict[str, Any]:
        """Say it for programs: times are absolute."""
        below: dict[str, list[Any]] = {}
        for step in self.steps:
            below.setdefault(str(step.part), []).append(step.document())
        return {
            "name": self.name,
            "state": str(self.state),
            "reason": self.reason,
            "message": self.message,
            "since": self.since.isoformat() if self.since else None,
            **self.facts,
            **below,
        }

    def clusters(self) -> Iterator["Step"]:
        for step in self.steps:
            if step.part is Part.CLUSTER:
                yield step
            yield from step.clusters()


@dataclass(frozen=True, slots=True)
class Column:
    """A further column of a table."""

    heading: str
    facts: tuple[str, ...]
    """Those that it shows, such as 2/3."""

    def cell(self, step: Step) -> str:
        return "/".join(str(step.facts[name]) for name in self.facts if name in step.facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A rollout as a whole, what it waits for, and what its user may do."""

    title: str
    whole: Step
    columns: tuple[Column, ...] = ()
    waits_for: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    goes_on: bool = True
    """Whether it may still change by itself: what has ended does not."""

    @property
    def failed(self) -> bool:
        return self.whole.state is State.FAILED

    def document(self) -> dict[str, Any]:
        """Return what `-o json` and `-o yaml` print."""
        return {
            **self.whole.document(),
            "ended": not self.goes_on,
            "waitsFor": list(self.waits_for),
            "next": list(self.next),
        }
