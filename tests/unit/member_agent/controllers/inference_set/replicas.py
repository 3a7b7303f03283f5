"""A member of dictionaries: the controller of InferenceSets, and a test for its Workspaces."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fleet.api import names
from fleet.api.conditions import Condition, find
from fleet.api.core import ConfigMap
from fleet.api.objects import Key, Metadata, Resource
from fleet.api.workspace import InferenceSet, Workspace, WorkspaceState
from fleet.testing.client import FakeClient
from fleet.testing.workloads import metadata
from member_agent.controllers.inference_set.handlers import InferenceSets
from member_agent.inputs import content, inputs
from member_agent.kinds import Kinds
from tests.unit.member_agent.hardware import MIDNIGHT, condition

KEY = Key("demo", "qwen")


def qwen(
    replicas: int = 2,
    *,
    preset: str = "qwen2-7b",
    annotations: Mapping[str, str] | None = None,
    selector: Mapping[str, str] | None = None,
    **template: Any,
) -> InferenceSet:
    inference = {"preset": {"name": preset}, **template.pop("inference", {})}
    return InferenceSet.model_validate(
        {
            "metadata": metadata(KEY.name, annotations=dict(annotations or {})),
            "spec": {
                "replicas": replicas,
                "labelSelector": {"matchLabels": dict(selector or {})},
                "template": {**template, "inference": inference},
            },
        }
    )


def config(**data: str) -> ConfigMap:
    return ConfigMap(metadata=Metadata(name="tuned", namespace=KEY.namespace), data=data)


class Replicas:
    def __init__(self, *resources: Resource) -> None:
        self.now = MIDNIGHT
        self.client = FakeClient(*resources)
        self.reads = Kinds("us").for_inference_sets()
        self.client.feed(*self.reads)
        self.sets = InferenceSets(
            client=self.client.as_manager("agent"), reads=self.reads, clock=lambda: self.now
        )

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    async def look(self) -> None:
        for cache in self.reads:
            await self.client.relist(cache)

    async def reconcile(self) -> None:
        await self.look()
        await self.sets.reconcile(KEY)

    async def settle(self) -> None:
        """Reconcile until nothing changes any more."""
        for _ in range(10):
            before = self.client.server.version
            await self.reconcile()
            if self.client.server.version == before:
                return
        raise AssertionError("it never comes to rest")

    def children(self) -> list[Workspace]:
        return self.client.all(Workspace)

    def names(self) -> list[str]:
        """Name the replicas that are to stay."""
        return [child.name for child in self.children() if not child.deleting]

    def hold(self, child: Workspace) -> None:
        """Keep a replica while it gives its nodes back, as the controller of Workspaces does."""
        body = child.manifest()
        held = {"finalizers": [names.WORKSPACE_FINALIZER]}
        self.client.put(body | {"metadata": body["metadata"] | held})

    def end(self, child: Workspace) -> None:
        """Let a replica go, once it has given its nodes back."""
        body = child.manifest()
        self.client.put(body | {"metadata": body["metadata"] | {"finalizers": []}})

    def serve(self, *children: Workspace) -> None:
        """Say of replicas, or of all, that they serve as they are now."""
        for child in children or self.children():
            said = condition("WorkspaceSucceeded")
            self.say(child, said, state=WorkspaceState.READY, observedInputs=self.inputs(child))

    def say(self, child: Workspace, *conditions: dict[str, Any], **status: Any) -> None:
        generation = child.metadata.generation
        said = [{"observedGeneration": generation, **each} for each in conditions]
        self.client.put(child.manifest() | {"status": {"conditions": said, **status}})

    def inputs(self, child: Workspace) -> str:
        """Sum up what a replica is made from, its config as it is now."""
        made, configs = inputs(child), self.client.all(ConfigMap)
        return made.with_config(content(configs[0].data) if made.config and configs else "")

    def owner(self) -> InferenceSet:
        (owner,) = self.client.all(InferenceSet)
        return owner

    def ready(self) -> Condition:
        found = find(self.owner().status.conditions, "InferenceSetReady")
        assert found
        return found
