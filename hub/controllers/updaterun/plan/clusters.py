"""One cluster of a stage: it is given the resources, and done when it has them available. Pure."""

from dataclasses import dataclass

from fleet.api.binding import Binding, BindingState
from fleet.api.conditions import find
from fleet.api.staged_update import ClusterUpdateStatus
from hub.controllers.updaterun.plan.actions import Action, Give, Report
from hub.controllers.updaterun.plan.context import Context
from hub.controllers.updaterun.plan.errors import AbortedError
from hub.controllers.updaterun.plan.marks import STARTED, SUCCEEDED, true

DONE = ("Available", "DiffReported")
"""Conditions of a binding of which one is enough."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """A cluster one step on."""

    cluster: ClusterUpdateStatus
    action: Action | None = None
    seconds_until_stuck: float = 0.0
    """0 where it is stuck, or done."""

    @property
    def done(self) -> bool:
        return ended(self.cluster)


def begun(cluster: ClusterUpdateStatus) -> bool:
    return true(cluster.conditions, STARTED)


def ended(cluster: ClusterUpdateStatus) -> bool:
    return true(cluster.conditions, SUCCEEDED)


def advance(context: Context, cluster: ClusterUpdateStatus, stage: str) -> Advanced:
    """Begin the update of a cluster, or look how far it is."""
    name = cluster.cluster_name
    binding = context.binding(name)
    if binding is None:
        raise AbortedError(f"cluster {name} of stage {stage} has no binding any more")
    given = _given(context, cluster, binding)
    if begun(cluster) and not given:
        why = (
            f"binding {binding.name} of cluster {name} in stage {stage} was changed while the run"
            " updated it: see whether another update run names the same placement"
        )
        raise AbortedError(why, {name: why})
    started = context.pen.cluster_started(cluster)
    if not given:
        give = Give(binding, context.group.master.name, context.apply_strategy)
        return _waiting(context, started, give)
    if not binding.true_now("RolloutStarted"):
        return _waiting(context, started, Report(binding, context.message))
    if any(map(binding.true_now, DONE)):
        return Advanced(context.pen.cluster_succeeded(started))
    return _waiting(context, started)


def seconds_until_stuck(context: Context, cluster: ClusterUpdateStatus) -> float:
    """Count from the begin of its update; 0 where it is stuck."""
    since = find(cluster.conditions, STARTED)
    at = (since.last_transition_time if since else context.now) + context.stuck_after
    return max(0.0, (at - context.now).total_seconds())


def _waiting(
    context: Context, cluster: ClusterUpdateStatus, action: Action | None = None
) -> Advanced:
    return Advanced(cluster, action, seconds_until_stuck(context, cluster))


def _given(context: Context, cluster: ClusterUpdateStatus, binding: Binding) -> bool:
    """Say whether a binding is just what the run makes of it."""
    spec = binding.spec
    return (
        spec.state is BindingState.BOUND
        and spec.resource_snapshot_name == context.group.master.name
        and spec.apply_strategy == context.apply_strategy
        and spec.resource_override_snapshots == cluster.resource_override_snapshots
        and spec.cluster_resource_override_snapshots == cluster.cluster_resource_override_snapshots
    )
