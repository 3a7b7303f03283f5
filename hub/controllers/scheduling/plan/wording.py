"""Put the engine's verdicts into the objects of the API."""

from collections import Counter
from collections.abc import Sequence

from fleet.api import names
from fleet.api.binding import Binding, BindingSpec, BindingState, ClusterDecision, ClusterScore
from fleet.api.objects import Metadata
from fleet.engine.decide import Decision
from fleet.engine.verdicts import Ranked, Rejected, Score, Verdict
from hub.controllers.scheduling.plan.actions import Observed


def decision(verdict: Verdict, *, selected: bool) -> ClusterDecision:
    if isinstance(verdict, Rejected):
        reason = f"{verdict.by}: {verdict.reason}"
        return ClusterDecision(cluster_name=verdict.cluster, selected=False, reason=reason)
    found = ClusterDecision(cluster_name=verdict.cluster, selected=selected, reason=verdict.reason)
    if verdict.score is None:
        return found
    return found.model_copy(update={"cluster_score": _score(verdict.score)})


def _score(score: Score) -> ClusterScore:
    points = ClusterScore(affinity_score=score.affinity, priority_score=score.topology)
    return points.model_copy(update={"parts": dict(score.parts)}) if score.parts else points


def new_binding(choice: Ranked, observed: Observed) -> Binding:
    """Name it after the placement's UID: made twice it is one, made for a namesake another."""
    placement, snapshot = observed.placement, observed.snapshot
    if placement is None or snapshot is None:
        raise ValueError("nothing was decided")
    name = names.binding_name(placement.name, placement.metadata.uid, choice.cluster)
    metadata = Metadata(
        name=name, labels={names.PARENT: placement.name}, finalizers=(names.BINDING_CLEANUP,)
    )
    if placement.namespace:
        metadata = metadata.model_copy(update={"namespace": placement.namespace})
    spec = BindingSpec(
        state=BindingState.SCHEDULED,
        target_cluster=choice.cluster,
        resource_snapshot_name="",
        scheduling_policy_snapshot_name=snapshot.name,
        cluster_decision=decision(choice, selected=True),
    )
    if choice.allocations:
        spec = spec.model_copy(update={"allocations": choice.allocations})
    return observed.binding_kind(metadata=metadata, spec=spec)


def lacking(found: Decision, others: Sequence[Verdict]) -> str:
    """Say what the policy lacks, and what stands against the clusters that were not chosen."""
    wants = [_count(found.short_by, "more cluster", "needed")] if found.short_by else []
    if found.unplaced:
        wants.append(_count(found.unplaced, "more replica", "without room"))
    if found.absent:
        wants.append(f"{', '.join(found.absent)} cannot be taken")
    if not wants:
        return ""
    rejected = [verdict for verdict in others if isinstance(verdict, Rejected)]
    causes = [f"{by} {number}" for by, number in Counter(r.by for r in rejected).most_common()]
    against = f"; clusters rejected: {', '.join(causes)}" if causes else ""
    first = rejected[0] if rejected else None
    example = f"; {first.cluster}: {first.reason}" if first else ""
    return f"{'; '.join(wants)}{against}{example}"


def _count(number: int, what: str, so: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'} {'is' if number == 1 else 'are'} {so}"
