"""A Workspace on a real API server: from its claim to its engine, and away again."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typing_extensions import override

from fleet.api.conditions import find
from fleet.api.core import Node, Pod, StatefulSet
from fleet.api.karpenter import NodeClaim
from fleet.api.names import GPU, WORKSPACE, WORKSPACE_NAMESPACE, digest
from fleet.api.objects import Key, Model
from fleet.api.workspace import Workspace, WorkspaceState
from fleet.kube.client import ApiClient
from fleet.testing.waiting import until
from tests.integration.member_agent.conftest import AgentProcess

TYPE, POOL = "Standard_NC24ads_A100_v4", "standard-nc24ads-a100-v4"
NOW = "2026-01-01T00:00:00Z"
CONFIG = {"vllm": {"max-model-len": 4096}}


def pool() -> dict[str, Any]:
    reference = {"group": "karpenter.kwok.sh", "kind": "KWOKNodeClass", "name": POOL}
    wanted = {"key": "node.kubernetes.io/instance-type", "operator": "In", "values": [TYPE]}
    template = {"nodeClassRef": reference, "requirements": [wanted], "expireAfter": "Never"}
    disruption = {"consolidationPolicy": "WhenEmpty", "consolidateAfter": "Never"}
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": POOL},
        "spec": {
            "template": {"spec": template},
            "limits": {GPU: "8"},
            "disruption": disruption,
        },
    }


class Served:
    """A Workspace, with a test in the place of Karpenter, the kubelet and the controllers."""

    def __init__(self, client: ApiClient, name: str) -> None:
        self.client, self.key = client, Key("default", name)

    async def write(self, **inference: Any) -> None:
        resource = {"instanceType": TYPE, "labelSelector": {"matchLabels": {"apps": "phi"}}}
        await self.client.dynamic.apply(
            {
                "apiVersion": "kaito.sh/v1beta1",
                "kind": "Workspace",
                "metadata": {"name": self.key.name, "namespace": self.key.namespace},
                "resource": resource,
                "inference": {"preset": {"name": "phi-4-mini-instruct"}, **inference},
            }
        )

    async def serve(self, **inference: Any) -> None:
        """Go all the way to an engine that answers."""
        await self.write(**inference)
        await until(some(self.claims))
        assert await self.engine() is None
        await self.provision()
        await until(some(self.engine))
        await self.run()
        await until(self.ready)

    async def workspace(self) -> Workspace:
        found = await self.client.get(Workspace, self.key)
        assert found
        return found

    async def claims(self) -> list[NodeClaim]:
        wanted = f"{WORKSPACE}={self.key.name}"
        return list((await self.client.list(NodeClaim, "", wanted)).objects())

    async def engine(self) -> StatefulSet | None:
        return await self.client.get(StatefulSet, self.key)

    async def engines(self) -> list[StatefulSet]:
        wanted = f"{WORKSPACE}={self.key.name}"
        return list((await self.client.list(StatefulSet, self.key.namespace, wanted)).objects())

    async def tune(self, length: int) -> None:
        """Write the ConfigMap that the Workspace names."""
        metadata = {"name": self.key.name, "namespace": self.key.namespace}
        data = {"inference_config.yaml": json.dumps({"vllm": {"max-model-len": length}})}
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        await self.client.dynamic.apply(config)

    async def provision(self) -> None:
        """Do what Karpenter does for a claim: a node, and three conditions."""
        (claim,) = [each for each in await self.claims() if not each.status.node_name]
        labels = {WORKSPACE: self.key.name, WORKSPACE_NAMESPACE: self.key.namespace}
        labels |= {"node.kubernetes.io/instance-type": TYPE, "karpenter.sh/nodepool": POOL}
        node = Node.model_validate({"metadata": {"name": f"node-{claim.name}", "labels": labels}})
        made = await self.client.create(node)
        ready = {"type": "Ready", "status": "True"}
        has = {GPU: "1", "cpu": "24", "memory": "220Gi"}
        await self._status(made, {"conditions": [ready], "allocatable": has, "capacity": has})
        stages = [_condition(stage) for stage in ("Launched", "Registered", "Initialized")]
        await self._status(claim, {"nodeName": made.name, "conditions": stages})

    async def run(self, engine: StatefulSet | None = None) -> None:
        """Do what the StatefulSet's controller does, and say what it says once its pod is ready."""
        engine = engine or await self.engine()
        assert engine
        pods = (await self.client.list(Pod, self.key.namespace)).objects()
        taken = {pod.spec.node_name for pod in pods}
        nodes = [claim.status.node_name for claim in await self.claims()]
        (free,) = [node for node in nodes if node not in taken]
        containers = [{"name": "engine", "image": "vllm", "resources": {"limits": {GPU: "1"}}}]
        labels = {WORKSPACE: self.key.name}
        metadata = {"name": f"{engine.name}-0", "namespace": engine.namespace, "labels": labels}
        spec = {"nodeName": free, "containers": containers}
        pod = await self.client.create(Pod.model_validate({"metadata": metadata, "spec": spec}))
        await self._status(pod, {"conditions": [{"type": "Ready", "status": "True"}]})
        counts = dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas"), 1)
        status = {"observedGeneration": engine.metadata.generation, **counts}
        await self._status(engine, status | {"availableReplicas": 1})

    async def _status(self, resource: Any, status: dict[str, Any]) -> None:
        await self.client.as_manager("others").patch_status(resource, _Raw(content=status))

    async def ready(self) -> bool:
        workspace = await self.workspace()
        return workspace.status.state is WorkspaceState.READY


class _Raw(Model):
    """A status that no model of ours writes."""

    content: dict[str, Any]

    @override
    def dump(self) -> dict[str, Any]:
        return self.content


def _condition(stage: str) -> dict[str, Any]:
    return {"type": stage, "status": "True", "reason": stage, "lastTransitionTime": NOW}


@pytest.fixture
async def served(agent: AgentProcess, client: ApiClient, request: pytest.FixtureRequest) -> Served:
    await client.dynamic.apply(pool())
    await agent.start()
    return Served(client, f"phi-{digest(request.node.name)}")


def some(found: Callable[[], Any]) -> Callable[[], Any]:
    async def there() -> bool:
        return bool(await found())

    return there


async def test_a_workspace_gets_its_node_then_its_engine_and_leaves_nothing(
    served: Served,
) -> None:
    await served.serve()
    workspace = await served.workspace()
    said = find(workspace.status.conditions, "WorkspaceSucceeded")
    assert said
    assert said.observed_generation == workspace.metadata.generation
    assert workspace.status.worker_nodes == (f"node-{(await served.claims())[0].name}",)
    await served.client.delete(workspace)

    async def gone() -> bool:
        return await served.client.get(Workspace, served.key) is None

    await until(gone)
    assert await served.claims() == []


async def test_a_changed_config_comes_up_beside_what_serves_and_takes_its_place(
    served: Served,
) -> None:
    await served.tune(4096)
    await served.serve(config=served.key.name)
    await served.tune(8192)

    async def grown(found: Callable[[], Any]) -> bool:
        return len(await found()) > 1

    await until(lambda: grown(served.claims))
    await served.provision()
    await until(lambda: grown(served.engines))
    said = find((await served.workspace()).status.conditions, "InferenceReady")
    assert said
    assert said.reason == "WorkspaceInferenceStatusUpdating"
    old, new = sorted(await served.engines(), key=lambda engine: engine.name != served.key.name)
    assert new.spec.template["spec"]["containers"][0]["args"][-1] == "--max-model-len=8192"
    await served.run(new)
    await until(served.ready)
    assert [engine.name for engine in await served.engines()] == [new.name]
    pod = await served.client.get(Pod, Key("default", f"{old.name}-0"))
    assert pod
    assert len(await served.claims()) == 2, "a node waits for the pods that end on it"
    await served.client.delete(pod, grace_seconds=0)

    async def given_back() -> bool:
        return len(await served.claims()) == 1

    await until(given_back)


async def test_a_claim_that_finds_no_instance_is_told_and_not_tried_again(
    served: Served,
) -> None:
    await served.write()
    await until(some(served.claims))
    (claim,) = await served.claims()
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{claim.name}.1", "namespace": "default"},
        "involvedObject": {"kind": "NodeClaim", "name": claim.name},
        "reason": "InsufficientCapacityError",
        "message": "all requested instance types were unavailable during launch",
    }
    await served.client.dynamic.create(event)
    await served.client.delete(claim)

    async def told() -> bool:
        said = find((await served.workspace()).status.conditions, "NodeClaimReady")
        return said is not None and "all requested instance types" in said.message

    await until(told)
    assert await served.claims() == []
    node_pool = await served.client.dynamic.resource_for("karpenter.sh/v1", "NodePool")
    await served.client.dynamic.delete(node_pool, Key("", POOL))
