"""Two hubs: one that is lost or stopped amid its work is succeeded; nothing is written twice."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from fleet.api import names
from fleet.api.binding import ResourceBinding
from fleet.api.core import ConfigMap, Namespace
from fleet.api.objects import Key, Metadata
from fleet.api.placement import ResourcePlacement
from fleet.api.work import Work
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer
from fleet.testing.audit import Write, writes
from fleet.testing.interceptor import Call, Refusal, interceptor
from fleet.testing.waiting import passes, until
from tests.integration import replicas
from tests.integration.faults.scene import kubeconfig
from tests.integration.hub.conftest import HubProcess
from tests.integration.hub.fleet import Fleet
from tests.integration.replicas import LEASE_SECONDS, MUCH, STANDS_BY, pair, succeed

pytestmark = pytest.mark.faults
CLUSTER = "us-replicas"


@pytest.fixture
async def hubs(
    server: ApiServer, client: ApiClient, tmp_path: Path
) -> AsyncIterator[Mapping[str, HubProcess]]:
    more = {"HUB_NAMESPACE": replicas.NAMESPACE, "HUB_LEASE_SECONDS": str(LEASE_SECONDS)}

    def hub(user: str) -> HubProcess:
        return HubProcess(Path(replicas.kubeconfig(server, tmp_path / user)), **more)

    async with pair(client, hub) as made:
        yield made


class Team:
    """Somebody who places many ConfigMaps, each by a placement of its own."""

    def __init__(self, client: ApiClient, server: ApiServer, namespace: str) -> None:
        self.client, self.namespace, self._server = client, namespace, server
        self.names = [f"p{number:02}" for number in range(MUCH)]

    async def begin(self) -> None:
        await self.client.create(Namespace(metadata=Metadata(name=self.namespace)))
        await asyncio.gather(*map(self._place, self.names))

    async def _place(self, name: str) -> None:
        metadata = Metadata(name=name, namespace=self.namespace)
        await self.client.create(ConfigMap(metadata=metadata, data={"name": name}))
        selector = {"group": "", "version": "v1", "kind": "ConfigMap", "name": name}
        policy = {"placementType": "PickFixed", "clusterNames": [CLUSTER]}
        spec = {"resourceSelectors": [selector], "policy": policy}
        made = {"metadata": {"name": name, "namespace": self.namespace}, "spec": spec}
        await self.client.create(ResourcePlacement.model_validate(made))

    async def works(self) -> list[Work]:
        found = await self.client.list(Work, names.member_namespace(CLUSTER))
        return [work for work in found.objects() if work.name.startswith(f"{self.namespace}.")]

    async def count(self) -> int:
        return len(await self.works())

    async def done(self) -> bool:
        return await self.count() == MUCH and all(
            [await self._synchronized(name) for name in self.names]
        )

    async def _synchronized(self, name: str) -> bool:
        return ("WorkSynchronized", "True") in await self._conditions(name)

    async def _conditions(self, name: str) -> list[tuple[str, str]]:
        live = await self.client.get(ResourcePlacement, Key(self.namespace, name))
        return [
            (condition.type.removeprefix("ResourcePlacement"), str(condition.status))
            for condition in (live.status.conditions if live else ())
            if live and condition.observed_generation == live.metadata.generation
        ]

    async def outcome(self) -> dict[str, object]:
        bindings = (await self.client.list(ResourceBinding, self.namespace)).objects()
        works = await self.works()
        return {
            "conditions": [sorted(await self._conditions(name)) for name in self.names],
            "bindings": sorted(
                (b.name.rsplit("-", 2)[0], b.spec.state, b.metadata.generation) for b in bindings
            ),
            "works": sorted((_data(work), work.metadata.generation) for work in works),
        }

    def written(self) -> list[Write]:
        """Give what was written for a team, in its namespace or in its member's."""
        own, prefix = self.namespace, f"{self.namespace}."
        found = writes(self._server.audit_log)
        return [w for w in found if w.namespace == own or w.name.startswith(prefix)]


def _data(work: Work) -> str:
    return " ".join(str(manifest["data"]) for manifest in work.spec.workload.manifests)


async def test_a_hub_that_is_lost_or_stopped_is_succeeded_and_nothing_is_written_twice(
    hubs: Mapping[str, HubProcess], client: ApiClient, server: ApiServer
) -> None:
    await Fleet(client, replicas.NAMESPACE, CLUSTER).join()
    calm, lost, stopped = (
        Team(client, server, f"{name}-replicas") for name in ("calm", "lost", "stopped")
    )
    await succeed(hubs, (calm, lost, stopped), "modelfleet-hub")


def _folder(home: Path, url: str) -> Path:
    home.mkdir()
    return Path(kubeconfig(url, home))


class Blind:
    """Lets no watch of placements through, nor kopf's list: ours come in pages."""

    async def before(self, call: Call) -> Refusal | None:
        if call.resource == "resourceplacements" and not call.writes and "limit=" not in call.query:
            await asyncio.Event().wait()
        return None

    async def after(self, _call: Call) -> None: ...


async def test_a_replica_that_saw_no_placement_take_shape_deletes_nothing_as_it_takes_over(
    server: ApiServer, client: ApiClient, tmp_path: Path
) -> None:
    await client.create(Namespace(metadata=Metadata(name="blind")))
    fleet = Fleet(client, "blind", "us-blind")
    more = {"HUB_NAMESPACE": "blind", "HUB_LEASE_SECONDS": str(LEASE_SECONDS)}
    to_server = server.connection()
    async with interceptor(to_server) as direct, interceptor(to_server) as line:
        line.judge = Blind()
        first, second = (
            HubProcess(_folder(tmp_path / name, url), **more)
            for name, url in (("first", direct.url), ("second", line.url))
        )
        try:
            await first.start()
            await second.start(waiting_for=STANDS_BY)
            await fleet.join()
            await fleet.config_map("a", key="b")
            await fleet.place(clusters=["us-blind"])
            await until(lambda: fleet.work("us-blind"))
            made = [binding.metadata.uid for binding in await fleet.bindings()]
            await first.kill()
            await until(lambda: second.said("controller starts"))
            await passes(2)
            assert [binding.metadata.uid for binding in await fleet.bindings()] == made
        finally:
            await first.kill()
            await second.kill()
