"""Read what a placement has already out of its bindings."""

from collections.abc import Iterable, Mapping

from fleet.api import names
from fleet.api.binding import Binding, BindingState
from fleet.api.placement import Placement, Policy
from fleet.api.snapshot import PolicySnapshot
from fleet.engine.ask import Holding


def holdings(
    bindings: Iterable[Binding], policies: Iterable[PolicySnapshot], latest: PolicySnapshot
) -> tuple[Holding, ...]:
    """Take the bindings that are not being deleted; `policies` are what they were decided for."""
    rules = {policy.name: _rules(policy.policy) for policy in (*policies, latest)}
    return tuple(_holding(binding, rules, latest) for binding in bindings if not binding.deleting)


def namespace_needed(placement: Placement) -> str:
    """Name the namespace that a cluster must have; a ModelDeployment's placement brings it."""
    brings = names.OWNED_BY_DEPLOYMENT in placement.metadata.labels
    return "" if brings else placement.namespace


def _holding(binding: Binding, rules: Mapping[str, Policy], latest: PolicySnapshot) -> Holding:
    decided_for = binding.spec.scheduling_policy_snapshot_name
    return Holding(
        cluster=binding.spec.target_cluster,
        decision=binding.spec.cluster_decision,
        allocations=binding.spec.allocations,
        in_use=binding.in_use,
        current=decided_for == latest.name,
        same_rules=rules.get(decided_for) == rules[latest.name],
        bound=binding.chosen_state is BindingState.BOUND,
        ready=binding.true_now("Available"),
        fell_silent=names.SILENT_SINCE in binding.metadata.annotations,
    )


def _rules(policy: Policy) -> Policy:
    """What of a policy says where; how it scores is weighed only when somewhere is chosen."""
    return policy.model_copy(update={"scoring": None})
