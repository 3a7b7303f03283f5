"""Report on a binding how far its Works are. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleet.api.binding import Binding, BindingStatus
from fleet.api.conditions import Condition, ConditionStatus, find, since
from fleet.api.placement import FailedResource
from fleet.api.work import ManifestCondition, Work

MAX_FAILED = 100
UNTRACKABLE = "WorkNotTrackable"
"""The agent's reason where it cannot tell whether what it applied is available."""


class Reason(StrEnum):
    NO_OVERRIDE = "NoOverrideSpecified"
    SYNCED = "AllWorkSynced"
    APPLIED = "AllWorkHaveBeenApplied"
    NOT_APPLIED = "NotAllWorkHaveBeenApplied"
    APPLYING = "ApplyInProgress"
    AVAILABLE = "AllWorkAreAvailable"
    NOT_AVAILABLE = "NotAllWorkAreAvailable"
    NOT_TRACKABLE = "NotAllWorkAreAvailabilityTrackable"
    SILENT = "ClusterNotResponding"


TYPES = frozenset({"Overridden", "WorkSynchronized", "Applied", "Available"})


@dataclass(frozen=True, slots=True)
class Fact:
    """What is true of a condition, before it is dated."""

    type: str
    truth: bool | None
    reason: Reason
    message: str


def report(
    binding: Binding, works: Sequence[Work], *, silent: bool, now: datetime
) -> BindingStatus | None:
    """Say how the Works of a binding stand, or None where it says so already."""
    facts = tuple(_facts(binding.spec.target_cluster, works, silent=silent))
    new = BindingStatus(conditions=tuple(_condition(binding, fact, now) for fact in facts))
    failed = tuple(_failed(works))[:MAX_FAILED]
    if failed:
        new = new.model_copy(update={"failed_placements": failed})
    there = {c.type: c for c in binding.status.conditions if c.type in TYPES}
    same = there == {c.type: c for c in new.conditions}
    return None if same and failed == binding.status.failed_placements else new


def settled(status: BindingStatus) -> bool:
    """Say whether a status will stand for a while: what is being applied is so in moments."""
    applied = find(status.conditions, "Applied")
    return applied is None or applied.reason != Reason.APPLYING


def _facts(cluster: str, works: Sequence[Work], *, silent: bool) -> Iterator[Fact]:
    text = "No override applies to the selected resources"
    yield Fact("Overridden", True, Reason.NO_OVERRIDE, text)
    text = f"All of the Works for {cluster} are written"
    yield Fact("WorkSynchronized", True, Reason.SYNCED, text)
    if silent:
        text = f"{cluster} does not respond: its heartbeats have stopped"
        yield Fact("Applied", None, Reason.SILENT, text)
        yield Fact("Available", None, Reason.SILENT, text)
        return
    applied = _applied(cluster, works)
    yield applied
    if applied.truth:
        yield _available(cluster, works)


def _applied(cluster: str, works: Sequence[Work]) -> Fact:
    said = [(work, _said(work, "Applied")) for work in works]
    failed = next(((work, c) for work, c in said if c and c.false), None)
    if failed:
        work, condition = failed
        text = f"Work {work.name} is not applied in {cluster}: {condition.message}"
        return Fact("Applied", False, Reason.NOT_APPLIED, text)
    if all(condition and condition.true for _, condition in said):
        return Fact("Applied", True, Reason.APPLIED, f"All Works are applied in {cluster}")
    return Fact("Applied", None, Reason.APPLYING, f"{cluster} is applying the Works")


def _available(cluster: str, works: Sequence[Work]) -> Fact:
    said = [(work, _said(work, "Available")) for work in works]
    for work, condition in said:
        if condition is None or not condition.true:
            why = condition.message if condition else "nothing is known yet"
            text = f"Work {work.name} is not available in {cluster}: {why}"
            return Fact("Available", False, Reason.NOT_AVAILABLE, text)
    if any(condition and condition.reason == UNTRACKABLE for _, condition in said):
        text = f"Of some objects in {cluster} nobody can tell whether they are available"
        return Fact("Available", True, Reason.NOT_TRACKABLE, text)
    return Fact("Available", True, Reason.AVAILABLE, f"All Works are available in {cluster}")


def _said(work: Work, kind: str) -> Condition | None:
    """What the agent says of the Work as it is now, and not as it was."""
    condition = find(work.status.conditions, kind)
    now = condition and condition.observed_generation == work.metadata.generation
    return condition if now else None


def _failed(works: Sequence[Work]) -> Iterator[FailedResource]:
    for work in works:
        for manifest in work.status.manifest_conditions:
            condition = _fault(manifest)
            if condition:
                identity = manifest.identifier.model_dump(
                    exclude={"ordinal", "resource"}, exclude_defaults=True, by_alias=False
                )
                yield FailedResource(**identity, condition=condition)


def _fault(manifest: ManifestCondition) -> Condition | None:
    said = (find(manifest.conditions, kind) for kind in ("Applied", "Available"))
    return next((condition for condition in said if condition and condition.false), None)


def _condition(binding: Binding, fact: Fact, now: datetime) -> Condition:
    condition = Condition(
        type=fact.type,
        status=ConditionStatus.of(fact.truth),
        reason=fact.reason,
        message=fact.message,
        observed_generation=binding.metadata.generation,
        last_transition_time=now,
    )
    return since(binding.status.conditions, condition)
