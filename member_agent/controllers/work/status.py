"""Report what became of a Work's manifests, as KubeFleet words it. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from fleet.api.conditions import Condition, ConditionStatus, since
from fleet.api.work import (
    AppliedResource,
    AppliedWorkStatus,
    BackReportedStatus,
    ManifestCondition,
    Work,
    WorkStatus,
)
from member_agent.controllers.work.plan.actions import Outcome
from member_agent.controllers.work.plan.availability import Availability

APPLIED: Final = "Applied"
AVAILABLE: Final = "Available"
MAX_MESSAGE: Final = 1024
"""Characters of a condition's message; a server's answer may be longer than anybody reads."""


def report(work: Work, outcomes: Sequence[Outcome], *, now: datetime) -> WorkStatus | None:
    """Say what became of each manifest and of all, or None where the Work says so already."""
    old = work.status
    known = {_address(item): item for item in old.manifest_conditions}
    manifests = tuple(_manifest(outcome, known, now) for outcome in outcomes)
    generation = work.metadata.generation
    fresh = [_applied(outcomes, generation, now)]
    if fresh[0].true:
        fresh.append(_available(outcomes, generation, now))
    conditions = tuple(since(old.conditions, condition) for condition in fresh)
    new = WorkStatus(conditions=conditions, manifest_conditions=manifests)
    return None if _same(old, new) else new


def recorded(
    outcomes: Iterable[Outcome], left_over: Iterable[AppliedResource]
) -> AppliedWorkStatus:
    """Name what the member has of a Work, with the uids by which it may be deleted."""
    there = [
        AppliedResource(**outcome.part.identifier.model_dump(), uid=_uid(outcome))
        for outcome in outcomes
        if not outcome.part.problem
    ]
    return AppliedWorkStatus(applied_resources=(*there, *left_over))


def _uid(outcome: Outcome) -> str:
    if outcome.seen:
        return outcome.seen.uid
    return outcome.part.live.uid if outcome.part.live else ""


def _same(old: WorkStatus, new: WorkStatus) -> bool:
    ours = tuple(c for c in old.conditions if c.type in (APPLIED, AVAILABLE))
    in_order = tuple(sorted(ours, key=lambda condition: condition.type, reverse=False))
    wanted = tuple(sorted(new.conditions, key=lambda condition: condition.type))
    return in_order == wanted and old.manifest_conditions == new.manifest_conditions


def _address(item: ManifestCondition) -> tuple[str, str, str, str]:
    named = item.identifier
    return named.group, named.kind, named.namespace, named.name


def _manifest(
    outcome: Outcome,
    known: dict[tuple[str, str, str, str], ManifestCondition],
    now: datetime,
) -> ManifestCondition:
    new = ManifestCondition(identifier=outcome.part.identifier)
    old = known.get(_address(new))
    generation = outcome.seen.generation if outcome.seen else 0
    conditions = [_condition(APPLIED, _reason(outcome), generation, now)]
    if outcome.verdict.applied and outcome.seen:
        conditions.append(_condition(AVAILABLE, _found(outcome), generation, now))
    update: dict[str, object] = {
        "conditions": tuple(since(old.conditions if old else (), c) for c in conditions)
    }
    if outcome.seen and outcome.seen.status is not None:
        update["back_reported_status"] = _back_reported(outcome, old, now)
    return new.model_copy(update=update)


def _back_reported(
    outcome: Outcome, old: ManifestCondition | None, now: datetime
) -> BackReportedStatus:
    observed = dict(outcome.seen.status or {}) if outcome.seen else {}
    before = old.back_reported_status if old else None
    if before and before.observed_status == observed:
        return before
    return BackReportedStatus(observed_status=observed, observation_time=now)


Saying = tuple[ConditionStatus, str, str]
"""A condition's status, reason and message."""


def _condition(kind: str, saying: Saying, generation: int, now: datetime) -> Condition:
    status, reason, message = saying
    return Condition(
        type=kind,
        status=status,
        reason=reason,
        message=message[:MAX_MESSAGE],
        observed_generation=generation,
        last_transition_time=now,
    )


def _reason(outcome: Outcome) -> Saying:
    verdict = outcome.verdict
    message = verdict.message or "Manifest has been applied successfully"
    return ConditionStatus.of(verdict.applied), verdict.reason, message


def _found(outcome: Outcome) -> Saying:
    if outcome.seen is None:
        return ConditionStatus.UNKNOWN, Availability.NOT_YET, ""
    availability, message = outcome.seen.finding
    return ConditionStatus.of(availability is not Availability.NOT_YET), availability, message


def _applied(outcomes: Sequence[Outcome], generation: int, now: datetime) -> Condition:
    failed = [outcome for outcome in outcomes if not outcome.verdict.applied]
    if failed:
        count = f"{len(failed)} of {len(outcomes)} manifests are not applied"
        worst = f"{count}: {failed[0].part.ref}: {failed[0].verdict.message}"
        saying: Saying = ConditionStatus.FALSE, "SomeManifestsAreNotApplied", worst
    else:
        saying = ConditionStatus.TRUE, "AllManifestsApplied", "All manifests are applied"
    return _condition(APPLIED, saying, generation, now)


def _available(outcomes: Sequence[Outcome], generation: int, now: datetime) -> Condition:
    found = [(o, o.seen.finding) for o in outcomes if o.seen]
    waiting = [(o, f) for o, f in found if f.availability is Availability.NOT_YET]
    if waiting:
        outcome, finding = waiting[0]
        count = f"{len(waiting)} of {len(outcomes)} manifests are not available yet"
        worst = f"{count}: {outcome.part.ref}: {finding.message}"
        saying: Saying = ConditionStatus.FALSE, "SomeManifestsAreNotAvailable", worst
    elif any(f.availability is Availability.UNTRACKABLE for _, f in found):
        message = "Some manifests are of kinds that do not say whether they work"
        saying = ConditionStatus.TRUE, "WorkNotTrackable", message
    else:
        saying = ConditionStatus.TRUE, "AllManifestsAvailable", "All manifests are available"
    return _condition(AVAILABLE, saying, generation, now)
