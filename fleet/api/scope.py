"""The two scopes of a placement: one code path serves both.

Each controller is made once for each scope and has a queue of its own there, so that its keys are
plain `Key`s: of a cluster-scoped placement without a namespace, of the other kind with one.
"""

from dataclasses import dataclass

from fleet.api import names
from fleet.api.binding import Binding, ClusterResourceBinding, ResourceBinding
from fleet.api.objects import Key, Resource
from fleet.api.placement import ClusterResourcePlacement, Placement, ResourcePlacement
from fleet.api.snapshot import (
    ClusterResourceSnapshot,
    ClusterSchedulingPolicySnapshot,
    PolicySnapshot,
    ResourceSnapshot,
    SchedulingPolicySnapshot,
    Snapshot,
)
from fleet.api.staged_update import (
    Approval,
    ApprovalRequest,
    ClusterApprovalRequest,
    ClusterStagedUpdateRun,
    ClusterStagedUpdateStrategy,
    StagedUpdateRun,
    StagedUpdateStrategy,
    UpdateRun,
    UpdateStrategy,
)


@dataclass(frozen=True, slots=True)
class Scope:
    placement: type[Placement]
    policy: type[PolicySnapshot]
    resources: type[Snapshot]
    binding: type[Binding]
    run: type[UpdateRun]
    strategy: type[UpdateStrategy]
    approval: type[Approval]
    cleanup: str
    """The finalizer under which a placement waits for what was made from it."""

    @property
    def prefix(self) -> str:
        """Begins the types of the placement's own conditions, as KubeFleet names them."""
        return self.placement.kind()

    @property
    def namespaced(self) -> bool:
        return self.placement.NAMESPACED


CLUSTER = Scope(
    ClusterResourcePlacement,
    ClusterSchedulingPolicySnapshot,
    ClusterResourceSnapshot,
    ClusterResourceBinding,
    ClusterStagedUpdateRun,
    ClusterStagedUpdateStrategy,
    ClusterApprovalRequest,
    names.CRP_CLEANUP,
)
NAMESPACED = Scope(
    ResourcePlacement,
    SchedulingPolicySnapshot,
    ResourceSnapshot,
    ResourceBinding,
    StagedUpdateRun,
    StagedUpdateStrategy,
    ApprovalRequest,
    names.RP_CLEANUP,
)


def parent(resource: Resource) -> Key:
    """Name the placement that a snapshot or binding is made from."""
    return Key(resource.namespace, resource.metadata.labels.get(names.PARENT, ""))
