"""Whether an object is ours to write, and whether it needs writing."""

from fleet.api.placement import ApplyStrategy
from member_agent.controllers.work.plan.actions import (
    Apply,
    Live,
    Observed,
    Part,
    Reason,
    Verdict,
)
from member_agent.controllers.work.plan.manifests import as_kept, differences

APPLIED_WORK = "AppliedWork"
MAX_PATHS = 5
"""Differences that a message names."""


def judge(part: Part, observed: Observed) -> Apply | Verdict:
    """Say what to do about a manifest, or why nothing is to be done."""
    strategy, live = observed.strategy, part.live
    if strategy.type == "ReportDiff":
        return Verdict(Reason.NOT_TAKEN_OVER, "the apply strategy is to report differences only")
    if part.problem:
        return part.problem
    if live is None:
        return Apply(part, force=_forced(strategy))
    if live.deleting:
        return Verdict(Reason.APPLY_FAILED, f"waits until the earlier {part.ref} is deleted")
    uid = observed.record.metadata.uid if observed.record else ""
    return _foreign(live, uid, strategy) or _existing(part, live, uid, strategy)


def _forced(strategy: ApplyStrategy) -> bool:
    """Client-side apply overwrites whatever it meets; server-side apply only when told so."""
    if strategy.type != "ServerSideApply":
        return True
    config = strategy.server_side_apply_config
    return config is not None and config.force


def _foreign(live: Live, uid: str, strategy: ApplyStrategy) -> Verdict | None:
    others = [owner for owner in live.owners if owner.uid != uid]
    for owner in others:
        if owner.kind == APPLIED_WORK:
            why = f"already owned by another Fleet AppliedWork, {owner.name}"
            return Verdict(Reason.TAKE_OVER_FAILED, why)
    if others and not strategy.allow_co_ownership:
        names = ", ".join(f"{owner.kind} {owner.name}" for owner in others)
        return Verdict(Reason.TAKE_OVER_FAILED, f"owned by {names}; co-ownership is not allowed")
    return None


def _existing(part: Part, live: Live, uid: str, strategy: ApplyStrategy) -> Apply | Verdict:
    force = _forced(strategy)
    if uid not in {owner.uid for owner in live.owners}:
        return _take_over(part, live, strategy) or Apply(part, uid=live.uid, force=force)
    seen = part.seen
    if seen and seen.digest == part.digest and _unmoved(part, live):
        return Verdict(Reason.APPLIED)
    if strategy.when_to_apply == "IfNotDrifted" and seen and seen.digest == part.digest:
        drifts = differences(as_kept(part.manifest), live.body or {})
        if drifts:
            return Verdict(Reason.DRIFTS, f"changed on the member: {_paths(drifts)}")
    return Apply(part, force=force)


def _unmoved(part: Part, live: Live) -> bool:
    """A view older than our own write says nothing."""
    seen = part.seen
    return seen is not None and (
        live.version <= seen.version or live.fingerprint == seen.fingerprint
    )


def _take_over(part: Part, live: Live, strategy: ApplyStrategy) -> Verdict | None:
    match strategy.when_to_take_over:
        case "Always":
            return None
        case "Never":
            return Verdict(Reason.NOT_TAKEN_OVER, "it was there before and is not to be taken over")
        case "IfNoDiff":
            found = differences(as_kept(part.manifest), live.body or {})
            why = f"it was there before, with differences: {_paths(found)}"
            return Verdict(Reason.TAKE_OVER_FAILED, why) if found else None


def _paths(paths: list[str]) -> str:
    more = f" and {len(paths) - MAX_PATHS} more" if len(paths) > MAX_PATHS else ""
    return ", ".join(paths[:MAX_PATHS]) + more
