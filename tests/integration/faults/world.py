"""What a member's cluster does by itself: nodes for claims, pods for StatefulSets."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from typing_extensions import override

from fleet.api.core import Node, Pod, StatefulSet
from fleet.api.karpenter import NodeClaim
from fleet.api.names import GPU, POD_INDEX, WORKSPACE, WORKSPACE_NAMESPACE, digest
from fleet.api.objects import Key, Model, Resource
from fleet.kube.cache import Cache
from fleet.kube.client import ApiClient
from fleet.kube.errors import AlreadyExistsError, KubeError, NotFoundError, TransientError
from fleet.kube.follow import Pace

TYPE, POOL = "Standard_NC24ads_A100_v4", "standard-nc24ads-a100-v4"
NOW = "2026-01-01T00:00:00Z"
REVISION = "controller-revision-hash"
BRISK = Pace(first_retry=0.05, longest_retry=0.5)


def pool() -> dict[str, Any]:
    """Offer A100s without end."""
    reference = {"group": "karpenter.kwok.sh", "kind": "KWOKNodeClass", "name": POOL}
    wanted = {"key": "node.kubernetes.io/instance-type", "operator": "In", "values": [TYPE]}
    template = {"nodeClassRef": reference, "requirements": [wanted], "expireAfter": "Never"}
    disruption = {"consolidationPolicy": "WhenEmpty", "consolidateAfter": "Never"}
    spec = {"template": {"spec": template}, "limits": {GPU: "1000"}, "disruption": disruption}
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": POOL},
        "spec": spec,
    }


class Raw(Model):
    """A status that no model of ours writes."""

    content: dict[str, Any]

    @override
    def dump(self) -> dict[str, Any]:
        return self.content


class World:
    """Karpenter, and the controller of StatefulSets with its pods."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client.as_manager("world")
        self.claims = Cache(NodeClaim)
        self.engines = Cache(StatefulSet, label_selector=WORKSPACE)
        self._due: asyncio.Queue[Resource] = asyncio.Queue()
        self.claims.on_change(self._due.put_nowait)
        self.engines.on_change(self._due.put_nowait)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for cache in (self.claims, self.engines):
                group.create_task(self._client.follow(cache))
            while True:
                seen = await self._due.get()
                try:
                    await self._answer(seen)
                except KubeError:
                    asyncio.get_running_loop().call_later(0.1, self._due.put_nowait, seen)

    async def _answer(self, seen: Resource) -> None:
        live = await self._client.get(type(seen), seen.key)
        match live or seen:
            case NodeClaim() as claim if live is None:
                await self._end(Node, Key("", f"node-{claim.name}"))
            case NodeClaim() as claim if not claim.status.node_name:
                await self._launch(claim)
            case StatefulSet() as engine if live is None:
                for index in range(engine.spec.replicas):
                    await self._end(Pod, Key(engine.namespace, f"{engine.name}-{index}"))
            case StatefulSet() as engine:
                await self._run(engine)
            case _:
                pass

    async def _launch(self, claim: NodeClaim) -> None:
        labels = {**claim.metadata.labels, "node.kubernetes.io/instance-type": TYPE}
        name = f"node-{claim.name}"
        node = Node.model_validate({"metadata": {"name": name, "labels": labels}})
        with suppress(AlreadyExistsError):
            await self._client.create(node)
        has = {GPU: "1", "cpu": "24", "memory": "220Gi"}
        ready = {"type": "Ready", "status": "True"}
        await self._report(node, {"conditions": [ready], "allocatable": has, "capacity": has})
        stages = [_condition(stage) for stage in ("Launched", "Registered", "Initialized")]
        await self._report(claim, {"nodeName": name, "conditions": stages})

    async def _run(self, engine: StatefulSet) -> None:
        """Have each pod as its engine says, and then say so."""
        for index in range(engine.spec.replicas):
            await self._pod(engine, f"{engine.name}-{index}", index)
        names = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas")
        counts = dict.fromkeys(names, engine.spec.replicas)
        await self._report(engine, {"observedGeneration": engine.metadata.generation, **counts})

    async def _pod(self, engine: StatefulSet, name: str, index: int) -> None:
        template = engine.spec.template
        revision = digest(json.dumps(template, sort_keys=True))
        live = await self._client.get(Pod, Key(engine.namespace, name))
        if live and live.metadata.labels[REVISION] != revision:
            await self._client.delete(live, grace_seconds=0)
            live = None
        if live is None:
            labels = template["metadata"]["labels"] | {REVISION: revision, POD_INDEX: str(index)}
            metadata = {"name": name, "namespace": engine.namespace, "labels": labels}
            on = await self._free(labels[WORKSPACE], engine.namespace)
            spec = {"containers": template["spec"]["containers"], "nodeName": on}
            live = await self._client.create(
                Pod.model_validate({"metadata": metadata, "spec": _without_volumes(spec)})
            )
        ready = {"type": "Ready", "status": "True"}
        await self._report(live, {"phase": "Running", "conditions": [ready]})

    async def _free(self, workspace: str, namespace: str) -> str:
        """Find a node of a Workspace that no pod is on; while there is none it is tried again."""
        named = f"{WORKSPACE}={workspace},{WORKSPACE_NAMESPACE}={namespace}"
        nodes = (await self._client.list(Node, "", named)).objects()
        pods = (await self._client.list(Pod, namespace)).objects()
        taken = {pod.spec.node_name for pod in pods}
        for node in nodes:
            if node.name not in taken:
                return node.name
        raise TransientError(f"{workspace} has no free node")

    async def _end(self, kind: type[Node] | type[Pod], key: Key) -> None:
        live = await self._client.get(kind, key)
        if live:
            with suppress(NotFoundError):
                await self._client.delete(live, grace_seconds=0)

    async def _report(self, resource: Resource, status: dict[str, Any]) -> None:
        await self._client.patch_status(resource, Raw(content=status))


def _without_volumes(spec: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a pod could not have without the volumes of its template."""
    plain = [{k: v for k, v in c.items() if k != "volumeMounts"} for c in spec["containers"]]
    return spec | {"containers": plain}


def _condition(stage: str) -> dict[str, Any]:
    return {"type": stage, "status": "True", "reason": stage, "lastTransitionTime": NOW}


@asynccontextmanager
async def turning(client: ApiClient) -> AsyncIterator[World]:
    """Let a member's world go on for as long as the block runs."""
    world = World(client)
    task = asyncio.create_task(world.run())
    try:
        yield world
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
