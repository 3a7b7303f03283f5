"""What the agent watches, each kind once: on the hub its own namespace, on the member the rest."""

from collections.abc import Sequence
from typing import Any

from fleet.api import names
from fleet.api.cluster import InternalMemberCluster
from fleet.api.core import ConfigMap, Namespace, Node, Pod, Service, StatefulSet
from fleet.api.karpenter import NodeClaim, NodePool
from fleet.api.work import AppliedWork, Work
from fleet.api.workspace import InferenceSet, Workspace
from fleet.kube.cache import Cache
from member_agent.controllers.inference_set.observe import BY_OWNER, owner_of
from member_agent.controllers.inference_set.observe import Reads as InferenceSetReads
from member_agent.controllers.inventory.observe import Reads as InventoryReads
from member_agent.controllers.kaito_pods.observe import Reads as KaitoPodReads
from member_agent.controllers.work.observe import Reads as WorkReads
from member_agent.controllers.workspace.observe import Reads as WorkspaceReads
from member_agent.workspace_index import BY_WORKSPACE, workspace_of


class Kinds:
    def __init__(self, cluster: str) -> None:
        namespace = names.member_namespace(cluster)
        self.works = Cache(Work, namespace=namespace)
        self.membership = Cache(InternalMemberCluster, namespace=namespace)
        self.records = Cache(AppliedWork)
        self.namespaces = Cache(Namespace)
        self.nodes = Cache(Node)
        self.pods = Cache(Pod, indices={BY_WORKSPACE: workspace_of})
        self.claims = Cache(NodeClaim, indices={BY_WORKSPACE: workspace_of}, optional=True)
        self.pools = Cache(NodePool, optional=True)
        self.configs = Cache(ConfigMap)
        self.stateful_sets = Cache(StatefulSet, label_selector=names.WORKSPACE)
        self.services = Cache(Service, label_selector=names.WORKSPACE)
        self.workspaces = Cache(Workspace, indices={BY_OWNER: owner_of})
        self.inference_sets = Cache(InferenceSet)

    @property
    def on_hub(self) -> Sequence[Cache[Any]]:
        return self.works, self.membership

    @property
    def on_member(self) -> Sequence[Cache[Any]]:
        return (
            self.records,
            self.namespaces,
            self.nodes,
            self.pods,
            self.claims,
            self.pools,
            self.configs,
            self.stateful_sets,
            self.services,
        )

    @property
    def written_by_people(self) -> Sequence[Cache[Any]]:
        return self.workspaces, self.inference_sets

    def for_works(self) -> WorkReads:
        return WorkReads(
            works=self.works,
            membership=self.membership,
            records=self.records,
            namespaces=self.namespaces,
            workspaces=self.workspaces,
            inference_sets=self.inference_sets,
            configs=self.configs,
        )

    def for_workspaces(self) -> WorkspaceReads:
        return WorkspaceReads(
            workspaces=self.workspaces,
            claims=self.claims,
            pools=self.pools,
            nodes=self.nodes,
            pods=self.pods,
            stateful_sets=self.stateful_sets,
            services=self.services,
            configs=self.configs,
        )

    def for_inference_sets(self) -> InferenceSetReads:
        return InferenceSetReads(
            inference_sets=self.inference_sets, workspaces=self.workspaces, configs=self.configs
        )

    def for_kaito_pods(self) -> KaitoPodReads:
        return KaitoPodReads(
            workspaces=self.workspaces,
            inference_sets=self.inference_sets,
            pods=self.pods,
        )

    def for_inventory(self) -> InventoryReads:
        return InventoryReads(
            membership=self.membership,
            works=self.works,
            nodes=self.nodes,
            pods=self.pods,
            claims=self.claims,
            pools=self.pools,
            workspaces=self.workspaces,
            namespaces=self.namespaces,
        )
