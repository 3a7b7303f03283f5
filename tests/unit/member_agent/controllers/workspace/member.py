"""A member of dictionaries: the controller of Workspaces, and a test in Karpenter's place."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fleet.api import names
from fleet.api.conditions import Condition, find
from fleet.api.core import Event, Pod, Service, StatefulSet
from fleet.api.karpenter import NodeClaim, NodePool
from fleet.api.objects import Key, Resource
from fleet.api.workspace import Workspace
from fleet.catalog.catalogue import load
from fleet.testing.client import FakeClient
from fleet.testing.heard import Heard
from fleet.testing.workloads import metadata
from member_agent.capacity import SoldOut, claimed, sold_out
from member_agent.controllers.workspace.handlers import Workspaces
from member_agent.controllers.workspace.plan.actions import Rules
from member_agent.kinds import Kinds
from tests.unit.member_agent.hardware import MIDNIGHT, PHI, condition, node

IMAGE = "vllm/vllm-openai:test"
LAUNCH_SECONDS = 300.0
KARPENTER = "karpenter.sh/termination"
STAGES = ("Launched", "Registered", "Initialized")


def phi(
    name: str = PHI.name,
    *,
    preset: str = "phi-4-mini-instruct",
    annotations: Mapping[str, str] | None = None,
    inference: Mapping[str, Any] | None = None,
    **resource: Any,
) -> Workspace:
    """Write a Workspace as a user does; without more it may run on any GPU."""
    served = {"preset": {"name": preset}} if inference is None else inference
    return Workspace.model_validate(
        {
            "metadata": metadata(name, annotations=dict(annotations or {})),
            "resource": {"labelSelector": {}, **resource},
            "inference": served,
        }
    )


def pod_of(engine: StatefulSet, index: int, *, on: str = "", ready: bool = True) -> Pod:
    """Make a pod of an engine as its controller does; with a node once it is placed."""
    template = engine.spec.template
    labels = {**template["metadata"]["labels"], names.POD_INDEX: str(index)}
    said = {"conditions": [{"type": "Ready", "status": str(ready)}], "phase": "Running"}
    made = metadata(f"{engine.name}-{index}", engine.namespace, labels=labels)
    spec = {"containers": template["spec"]["containers"], **({"nodeName": on} if on else {})}
    return Pod.model_validate({"metadata": made, "spec": spec, "status": said})


class Member:
    def __init__(
        self,
        *resources: Resource,
        launch_seconds: float = LAUNCH_SECONDS,
        client: type[FakeClient] = FakeClient,
    ) -> None:
        self.now = MIDNIGHT
        self.rules = Rules(image=IMAGE, puller_image="puller:test", launch_seconds=launch_seconds)
        self.client, self.heard = client(*resources), Heard()
        self.start()

    def start(self) -> None:
        """Begin with empty caches, as a program that has just started."""
        self.client.server.watchers.clear()
        self.reads = Kinds("us").for_workspaces()
        self.client.feed(*self.reads)
        self.workspaces = Workspaces(
            client=self.client.as_manager("agent"),
            reads=self.reads,
            clock=lambda: self.now,
            catalogue=load(),
            rules=self.rules,
            tell=self.heard.tell,
        )

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    async def look(self) -> None:
        for cache in self.reads:
            await self.client.relist(cache)

    async def reconcile(self, key: Key = PHI) -> float | None:
        await self.look()
        return await self.workspaces.reconcile(key)

    async def settle(self, key: Key = PHI) -> None:
        """Reconcile until nothing changes any more."""
        for _ in range(10):
            before = self.client.server.version
            await self.reconcile(key)
            if self.client.server.version == before:
                return
        raise AssertionError("it never comes to rest")

    def claims(self) -> list[NodeClaim]:
        return self.client.all(NodeClaim)

    def launch(self, *stages: str) -> None:
        """Do what Karpenter does for claims: its finalizer, a node, and its conditions."""
        for claim in self.claims():
            if not claim.deleting and not claim.status.conditions:
                self._launch(claim, stages or STAGES)

    def _launch(self, claim: NodeClaim, stages: tuple[str, ...]) -> None:
        asked = claimed(claim)
        made = f"node-{claim.name}"
        if "Registered" in stages:
            labels = claim.metadata.labels
            self.client.put(node(made, asked.instance_type, gpus=asked.gpus, labels=labels))
        status = {
            "nodeName": made if "Registered" in stages else "",
            "conditions": [condition(stage) for stage in stages],
        }
        self.client.put(self._held(claim) | {"status": status})

    def _held(self, claim: NodeClaim) -> dict[str, Any]:
        body = claim.manifest()
        finalizers = {*claim.metadata.finalizers, KARPENTER}
        return body | {"metadata": body["metadata"] | {"finalizers": sorted(finalizers)}}

    async def lose(self, claim: NodeClaim, told: str = "") -> None:
        """Let the cloud have no instance: Karpenter deletes the claim, and an Event says why."""
        if told:
            event = {
                "metadata": {"name": f"{claim.name}.1", "namespace": "default"},
                "involvedObject": {"kind": "NodeClaim", "name": claim.name},
                "reason": "InsufficientCapacityError",
                "message": told,
            }
            self.client.put(Event.model_validate(event))
        await self.client.delete(claim)

    async def end(self, claim: NodeClaim) -> None:
        """Finish a deletion as Karpenter does: the node goes, and its finalizer."""
        others = [held for held in claim.metadata.finalizers if held != KARPENTER]
        body = claim.manifest()
        if claim.status.node_name:
            await self.client.delete(node(claim.status.node_name))
        self.client.put(body | {"metadata": body["metadata"] | {"finalizers": others}})

    def run(self, *, pods: bool = True, **status: Any) -> None:
        """Say of the engine what the StatefulSet's controller says once its pods are ready."""
        engine = self.engine()
        assert engine
        count = engine.spec.replicas
        counts = dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas"), count)
        said = {"observedGeneration": engine.metadata.generation, **counts, **status}
        self.client.put(engine.manifest() | {"status": said})
        for index, on in zip(
            range(count if pods else 0), self.workspace().status.worker_nodes, strict=False
        ):
            self.client.put(pod_of(engine, index, on=on, ready=index < said["readyReplicas"]))

    async def served(self, *, key: Key = PHI) -> None:
        """Go all the way from a Workspace to its engine that answers."""
        await self.settle(key)
        self.launch()
        await self.settle(key)
        self.run()
        await self.settle(key)

    def engine(self, name: str = PHI.name) -> StatefulSet | None:
        return next((each for each in self.client.all(StatefulSet) if each.name == name), None)

    def services(self) -> list[str]:
        return [service.name for service in self.client.all(Service)]

    def workspace(self, name: str = PHI.name) -> Workspace:
        return next(each for each in self.client.all(Workspace) if each.name == name)

    def pool(self) -> NodePool:
        return self.client.all(NodePool)[0]

    def condition(self, kind: str, name: str = PHI.name) -> Condition:
        found = find(self.workspace(name).status.conditions, kind)
        assert found, kind
        return found

    def said(self, kind: str, name: str = PHI.name) -> tuple[str, str, str]:
        found = self.condition(kind, name)
        return found.status, found.reason, found.message

    def sold_out(self) -> Mapping[str, SoldOut]:
        """Read what is noted on the first pool."""
        return sold_out(self.pool())
