"""The caches of the hub: each kind once, watched by us or by kopf."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fleet.api.cluster import InternalMemberCluster, MemberCluster
from fleet.api.cluster_profile import ClusterProfile
from fleet.api.core import Namespace, Role, RoleBinding, Secret, ServiceAccount
from fleet.api.deployment import AIToolchainModelDeployment, ModelDeployment
from fleet.api.eviction import ClusterResourcePlacementEviction
from fleet.api.scope import CLUSTER, NAMESPACED, Scope
from fleet.api.service import ModelEndpoint, ModelService
from fleet.api.work import Work
from fleet.api.workspace import InferenceSet, Workspace
from fleet.kube.cache import Cache, Index
from hub.controllers.endpoints.observe import BY_WORKLOAD_UID, workload_uid
from hub.controllers.membership.observe import OURS
from hub.controllers.membership.observe import Reads as Members
from hub.scope_caches import ScopeCaches, caches
from hub.shares import INDICES, WorkloadCache, WorkloadReads

ENDPOINT_INDICES: Mapping[str, Index] = {BY_WORKLOAD_UID: lambda meta: workload_uid(meta.labels)}


def _scopes() -> Mapping[Scope, ScopeCaches]:
    return {scope: caches(scope) for scope in (CLUSTER, NAMESPACED)}


@dataclass(frozen=True, slots=True)
class Kinds:
    scopes: Mapping[Scope, ScopeCaches] = field(default_factory=_scopes)
    clusters: Cache[MemberCluster] = field(default_factory=lambda: Cache(MemberCluster))
    internals: Cache[InternalMemberCluster] = field(
        default_factory=lambda: Cache(InternalMemberCluster)
    )
    works: Cache[Work] = field(default_factory=lambda: Cache(Work, indices=INDICES))
    workspaces: Cache[Workspace] = field(default_factory=lambda: Cache(Workspace))
    inference_sets: Cache[InferenceSet] = field(default_factory=lambda: Cache(InferenceSet))
    deployments: Cache[ModelDeployment] = field(default_factory=lambda: Cache(ModelDeployment))
    toolchain_deployments: Cache[ModelDeployment] = field(
        default_factory=lambda: Cache(AIToolchainModelDeployment)
    )
    services: Cache[ModelService] = field(default_factory=lambda: Cache(ModelService))
    endpoints: Cache[ModelEndpoint] = field(
        default_factory=lambda: Cache(ModelEndpoint, indices=ENDPOINT_INDICES)
    )
    namespaces: Cache[Namespace] = field(
        default_factory=lambda: Cache(Namespace, label_selector=OURS)
    )
    accounts: Cache[ServiceAccount] = field(
        default_factory=lambda: Cache(ServiceAccount, label_selector=OURS)
    )
    roles: Cache[Role] = field(default_factory=lambda: Cache(Role, label_selector=OURS))
    role_bindings: Cache[RoleBinding] = field(
        default_factory=lambda: Cache(RoleBinding, label_selector=OURS)
    )

    evictions: Cache[ClusterResourcePlacementEviction] = field(
        default_factory=lambda: Cache(ClusterResourcePlacementEviction)
    )
    profiles: Cache[ClusterProfile] = field(
        default_factory=lambda: Cache(ClusterProfile, optional=True)
    )
    secrets: Cache[Secret] | None = None
    """Of the hub's own namespace, and of no other; none where it has no namespace."""

    @property
    def members(self) -> Members:
        return Members(
            clusters=self.clusters,
            internals=self.internals,
            works=self.works,
            namespaces=self.namespaces,
            accounts=self.accounts,
            roles=self.roles,
            role_bindings=self.role_bindings,
        )

    @property
    def workloads(self) -> Sequence[WorkloadCache]:
        return self.workspaces, self.inference_sets

    @property
    def shares(self) -> WorkloadReads:
        return WorkloadReads(
            works=self.works,
            clusters=self.clusters,
            cluster=self.scopes[CLUSTER],
            namespaced=self.scopes[NAMESPACED],
        )

    @property
    def written_by_people(self) -> Sequence[Cache[Any]]:
        """Watched by kopf; the placements first, since everything waits for them."""
        return (
            *(scope.placements for scope in self.scopes.values()),
            *(c for s in self.scopes.values() for c in (s.strategies, s.runs, s.approvals)),
            self.evictions,
            self.workspaces,
            self.inference_sets,
            self.deployments,
            self.toolchain_deployments,
            self.services,
            self.endpoints,
        )

    @property
    def written_by_programs(self) -> Sequence[Cache[Any]]:
        made = [c for s in self.scopes.values() for c in (s.policies, s.resources, s.bindings)]
        own = () if self.secrets is None else (self.secrets,)
        return (*self.members, self.profiles, *made, *own)
