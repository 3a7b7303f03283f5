"""A member whose cluster lives: claims get nodes, StatefulSets pods, and what is deleted ends."""

import json
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

from fleet.api import names
from fleet.api.core import Node, Pod, StatefulSet
from fleet.api.karpenter import NodeClaim
from fleet.api.objects import Key
from fleet.api.workspace import Workspace
from fleet.testing.server import address_of
from member_agent.capacity import gpus_of
from member_agent.controllers.workspace.plan.engines import engine_name
from tests.unit.member_agent.controllers.workspace.member import Member, pod_of

REVISION = "controller-revision-hash"


class Nature(Member):
    """Each turn every program of a cluster does one step; pods come up in the next one."""

    broken: Callable[[Pod], bool] = staticmethod(lambda _: False)
    """Whether a pod never becomes ready."""
    lost: Callable[[Pod], bool] = staticmethod(lambda _: False)
    """Whether a pod's node is gone, so that nobody says that the pod has ended."""

    async def live(self, turns: int = 1, seen: Callable[[], None] = lambda: None) -> None:
        for _ in range(turns):
            for workspace in self.client.all(Workspace):
                await self.reconcile(workspace.key)
            seen()
            await self.turn()
            seen()

    async def rest(self, seen: Callable[[], None] = lambda: None) -> None:
        """Live on until nothing changes any more."""
        for _ in range(60):
            before = self.client.server.version
            await self.live(seen=seen)
            if self.client.server.version == before:
                return
        raise AssertionError("it never comes to rest")

    async def turn(self) -> None:
        await self._end_pods()
        self.launch()
        await self._end_claims()
        for engine in self.client.all(StatefulSet):
            self._revise(engine)
        for pod in self.pods():
            self._schedule(pod)
        for engine in self.client.all(StatefulSet):
            self._count(engine)

    def pods(self, of: StatefulSet | None = None) -> list[Pod]:
        found = self.client.all(Pod)
        return [pod for pod in found if of is None or engine_name(pod) == of.name]

    def answering(self) -> list[Pod]:
        """Give the pods that a gateway would pick."""
        first = (pod for pod in self.pods() if pod.metadata.labels.get(names.POD_INDEX) == "0")
        return [pod for pod in first if pod.ready and not pod.deleting]

    def engines(self) -> list[str]:
        return [engine.name for engine in self.client.all(StatefulSet)]

    def arguments(self, pods: Iterable[Pod]) -> set[str]:
        """Give the last argument of pods: what a test has set."""
        return {pod.spec.containers[0].args[-1] for pod in pods}

    async def _end_pods(self) -> None:
        """Pods go a turn after they were told to; whose engine is gone is told so now."""
        there = {engine.name for engine in self.client.all(StatefulSet)}
        for pod in self.pods():
            if pod.deleting and not self.lost(pod):
                self._let_go(pod)
            elif engine_name(pod) not in there and not pod.deleting:
                await self.client.delete(pod)

    def _tell_to_end(self, pod: Pod) -> None:
        self.client.server.delete(address_of(pod.manifest()))

    def _let_go(self, pod: Pod) -> None:
        body = pod.manifest()
        self.client.put(body | {"metadata": body["metadata"] | {"finalizers": []}})

    async def _end_claims(self) -> None:
        """A node goes once no pod is on it, as Karpenter drains it."""
        for claim in self.claims():
            on = [pod for pod in self.pods() if pod.spec.node_name == claim.status.node_name]
            if not claim.deleting:
                continue
            if not on or not claim.status.node_name:
                await self.end(claim)
            for pod in on:
                if not pod.deleting:
                    await self.client.delete(pod)

    def _revise(self, engine: StatefulSet) -> None:
        """Make what is missing, else end one pod of an earlier revision, the last one first."""
        there = {pod.name: pod for pod in self.pods(engine)}
        for index in reversed(range(engine.spec.replicas)):
            pod = there.pop(f"{engine.name}-{index}", None)
            if pod is None:
                made = pod_of(engine, index, ready=False).manifest()
                made["metadata"] |= {"finalizers": ["kubelet"]}
                made["metadata"]["labels"][REVISION] = _revision(engine)
                self.client.put(made | {"status": {"phase": "Pending"}})
            elif pod.metadata.labels[REVISION] != _revision(engine):
                if not pod.deleting:
                    self._tell_to_end(pod)
                return
        for pod in there.values():
            if not pod.deleting:
                self._tell_to_end(pod)

    def _schedule(self, pod: Pod) -> None:
        if pod.deleting or pod.ready:
            return
        if pod.spec.node_name:
            ready = str(not self.broken(pod))
            conditions = [{"type": "Ready", "status": ready}]
            status = {"phase": "Running", "conditions": conditions}
            self.client.put(pod.manifest() | {"status": status})
        elif fitting := [node for node in self.client.all(Node) if self._fits(pod, node)]:
            body = pod.manifest()
            self.client.put(body | {"spec": body["spec"] | {"nodeName": fitting[0].name}})

    def _fits(self, pod: Pod, node: Node) -> bool:
        used = sum(gpus_of(other) for other in self.pods() if other.spec.node_name == node.name)
        engine = self.engine(engine_name(pod))
        if engine is None or not node.ready or node.gpus - used < gpus_of(pod):
            return False
        affinity = engine.spec.template["spec"]["affinity"]["nodeAffinity"]
        required = affinity["requiredDuringSchedulingIgnoredDuringExecution"]
        return any(_matches(term, node) for term in required["nodeSelectorTerms"])

    def _count(self, engine: StatefulSet) -> None:
        ready = [pod for pod in self.pods(engine) if pod.ready and not pod.deleting]
        new = [p for p in self.pods(engine) if p.metadata.labels[REVISION] == _revision(engine)]
        status = {
            "observedGeneration": engine.metadata.generation,
            "replicas": len(self.pods(engine)),
            "readyReplicas": len(ready),
            "updatedReplicas": len([pod for pod in new if not pod.deleting]),
            "updateRevision": _revision(engine),
        }
        self.client.put(engine.manifest() | {"status": status})

    def settled(self, key: Key) -> bool:
        """Say whether a Workspace's report says that all is as it is asked for."""
        return self.condition("WorkspaceSucceeded", key.name).true

    def nodes_used(self) -> set[str]:
        return {pod.spec.node_name for pod in self.pods()} - {""}

    def gone(self) -> list[NodeClaim]:
        return [claim for claim in self.claims() if claim.deleting]

    def kept(self) -> list[NodeClaim]:
        return [claim for claim in self.claims() if not claim.deleting]


def _revision(engine: StatefulSet) -> str:
    text = json.dumps(engine.manifest()["spec"]["template"], sort_keys=True)
    return sha256(text.encode()).hexdigest()[:10]


def _matches(term: Any, node: Node) -> bool:
    labels = node.metadata.labels
    return all(labels.get(each["key"]) in each["values"] for each in term["matchExpressions"])
