"""A fleet around a hub: members that join and apply as their agents would."""

from collections.abc import Callable
from typing import Any, TypeVar

from fleet.api import names
from fleet.api.binding import ResourceBinding
from fleet.api.cluster import InternalMemberCluster, InternalMemberClusterStatus, MemberCluster
from fleet.api.conditions import Condition
from fleet.api.core import ConfigMap, Namespace
from fleet.api.objects import Key, Resource
from fleet.api.placement import ResourcePlacement
from fleet.api.work import Work, WorkStatus
from fleet.kube.client import ApiClient
from fleet.runtime import clock
from fleet.testing.waiting import until

R = TypeVar("R", bound=Resource)


class Fleet:
    """What a test's users and agents do, with one member in it."""

    def __init__(self, client: ApiClient, namespace: str, cluster: str) -> None:
        self.client, self.namespace, self.cluster = client, namespace, cluster
        self.agent = client.as_manager("agent")

    async def namespace_exists(self) -> None:
        await self.client.create(shaped(Namespace, self.namespace))

    async def join(self) -> None:
        """Make the member, and answer for its agent."""
        name = self.cluster
        namespace = names.member_namespace(name)
        identity = {"kind": "ServiceAccount", "name": "member-agent", "namespace": namespace}
        cluster = shaped(MemberCluster, name, spec={"identity": identity})
        await self.client.create(cluster)
        await until(lambda: self.client.get(InternalMemberCluster, Key(namespace, name)))
        internal = await self.client.get(InternalMemberCluster, Key(namespace, name))
        assert internal
        await self.agent.patch_status(internal, joined_status())

        async def joined() -> bool:
            live = await self.client.get(MemberCluster, Key("", name))
            return live is not None and live.joined

        await until(joined)

    async def config_map(self, name: str, **data: str) -> None:
        metadata = {"labels": {"app": self.namespace}}
        body = shaped(ConfigMap, name, self.namespace, metadata=metadata, data=data)
        await self.client.apply(body, force=True)

    async def place(self, *, clusters: list[str], strategy: str = "RollingUpdate") -> None:
        labels = {"matchLabels": {"app": self.namespace}}
        selector = {"group": "", "version": "v1", "kind": "ConfigMap", "labelSelector": labels}
        policy = {"placementType": "PickFixed", "clusterNames": clusters}
        spec = {
            "resourceSelectors": [selector],
            "policy": policy,
            "strategy": {"type": strategy},
        }
        await self.client.create(shaped(ResourcePlacement, "config", self.namespace, spec=spec))

    async def placement(self) -> ResourcePlacement | None:
        return await self.client.get(ResourcePlacement, Key(self.namespace, "config"))

    async def work(self, cluster: str) -> Work | None:
        name = names.work_name("config", self.namespace)
        return await self.client.get(Work, Key(names.member_namespace(cluster), name))

    async def bindings(self) -> list[ResourceBinding]:
        return await self.all(ResourceBinding)

    async def all(self, model: type[R]) -> list[R]:
        """Give the objects of a kind in the team's namespace."""
        return list((await self.client.list(model, self.namespace)).objects())

    async def works(self) -> list[Work]:
        """Give all Works in the member's namespace."""
        found = await self.client.list(Work, names.member_namespace(self.cluster))
        return list(found.objects())

    async def hold_work(self) -> None:
        """Take up the Work as an agent does: it waits for its member's objects to go."""
        work = await self.work(self.cluster)
        assert work
        add = {"op": "add", "path": "/metadata/finalizers", "value": ["agent.example/hold"]}
        await self.agent.json_patch(work, [add])

    async def let_work_go(self) -> None:
        work = await self.work(self.cluster)
        assert work
        await self.agent.json_patch(work, [{"op": "remove", "path": "/metadata/finalizers"}])

    async def data_in(self, cluster: str) -> dict[str, Any]:
        """Give what a member is to have, by ConfigMap."""
        work = await self.work(cluster)
        manifests = work.spec.workload.manifests if work else ()
        return {m["metadata"]["name"]: m.get("data", {}) for m in manifests}

    async def apply_in(self, cluster: str) -> None:
        """Report a Work as applied and available, as an agent does."""
        work = await self.work(cluster)
        assert work
        conditions = [
            condition(kind, work.metadata.generation) for kind in ("Applied", "Available")
        ]
        await self.agent.patch_status(work, WorkStatus(conditions=tuple(conditions)))

    async def condition(self, kind: str) -> str:
        live = await self.placement()
        wanted = f"ResourcePlacement{kind}"
        found = [c.status for c in live.status.conditions if c.type == wanted] if live else []
        return found[0] if found else ""


def joined_status() -> InternalMemberClusterStatus:
    now = clock.now().replace(microsecond=0)
    status = {
        "agentStatus": [
            {
                "type": "MemberAgent",
                "conditions": [condition(k, 1).dump() for k in ("Joined", "Healthy")],
                "lastReceivedHeartbeat": now.isoformat(),
            }
        ],
        "region": "centralus",
    }
    return InternalMemberClusterStatus.model_validate(status)


def condition(kind: str, generation: int) -> Condition:
    return Condition.model_validate(
        {
            "type": kind,
            "status": "True",
            "reason": "AsItShould",
            "message": "",
            "observedGeneration": generation,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    )


def shaped(model: Callable[..., Any], name: str, namespace: str = "", **parts: Any) -> Any:
    metadata = {"name": name, "namespace": namespace, **parts.pop("metadata", {})}
    return model.model_validate({"metadata": metadata, **parts})  # type: ignore[attr-defined]
