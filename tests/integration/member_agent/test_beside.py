"""An agent on a member that runs KAITO: it stands aside, or leaves reconciling to it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from fleet.api import names
from fleet.api.cluster import InternalMemberCluster
from fleet.api.conditions import find
from fleet.api.core import Event, Pod, StatefulSet
from fleet.api.names import WORK_BINDING_CLEANUP, digest
from fleet.api.objects import Key, Metadata
from fleet.api.work import AppliedWork, Work, Workload, WorkSpec
from fleet.api.workspace import Workspace
from fleet.kube.client import ApiClient
from fleet.kube.resources import ApiResource
from fleet.kube.rivals import KAITO, KUBEFLEET_AGENT
from fleet.kube.watcher import Watcher
from fleet.testing.apiserver import ApiServer
from fleet.testing.waiting import until
from gateway.control.watch import follow_pods
from gateway.snapshot import Service, Snapshot
from tests.integration.member_agent.conftest import CLUSTER, NAMESPACE, AgentProcess
from tests.integration.rival import running

KAITO_NAMESPACE, MODEL = "kaito-workspace", "phi-4-mini-instruct"
MARKED = {"kaito", "modelfleet-member-agent-kaito-pods"}
"""Who has written a pod that is routed to."""


def workspace(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "kaito.sh/v1beta1",
        "kind": "Workspace",
        "metadata": {"name": name, "namespace": "default"},
        "resource": {"labelSelector": {"matchLabels": {"apps": name}}},
        "inference": {"preset": {"name": MODEL}},
    }


def pod(workspace: str, index: str = "0") -> Pod:
    """Give a pod as KAITO's StatefulSet makes it; of several nodes the first one serves."""
    labels = {names.WORKSPACE: workspace, names.POD_INDEX: index}
    container = {"name": workspace, "image": "kaito", "ports": [{"containerPort": 5000}]}
    ready = {"type": "Ready", "status": "True"}
    return Pod.model_validate(
        {
            "metadata": {"name": f"{workspace}-{index}", "namespace": "default", "labels": labels},
            "spec": {"containers": [container]},
            "status": {"podIP": "127.1.0.1", "conditions": [ready]},
        }
    )


class World:
    """What a test sees of a member, of its place on the hub, and of one Work with a Workspace."""

    def __init__(self, client: ApiClient, name: str) -> None:
        self.client, self.name = client, f"{name}-{digest(name)}"
        self.key, self.at_home = Key(NAMESPACE, self.name), Key("default", f"own-{self.name}")

    async def write(self) -> None:
        """Let a user of the member have a Workspace there, and the hub ask for another."""
        await self.client.dynamic.apply(workspace(self.at_home.name))
        workload = Workload(manifests=(workspace(self.name),))
        metadata = Metadata(name=self.name, namespace=NAMESPACE)
        await self.client.apply(Work(metadata=metadata, spec=WorkSpec(workload=workload)))

    async def versions(self) -> list[str | None]:
        """Give what moves when somebody writes."""
        found = [
            await self.client.get(Workspace, self.at_home),
            await self.client.get(Workspace, Key("default", self.name)),
            await self.client.get(Work, self.key),
            await self.client.get(AppliedWork, Key("", self.name)),
            await self.client.get(StatefulSet, self.at_home),
        ]
        return [each.metadata.resource_version if each else None for each in found]

    async def joined(self) -> tuple[str, str]:
        """Say whether the agent has joined, and why not."""
        member = await self.client.get(InternalMemberCluster, Key(NAMESPACE, CLUSTER))
        agent = member.status.agent if member else None
        found = find(agent.conditions, "Joined") if agent else None
        return (found.status, found.message) if found else ("", "")

    async def beats(self, times: int) -> None:
        """Wait for so many heartbeats: meanwhile an agent would have written."""
        heard = {await self._heartbeat()}

        async def enough() -> bool:
            heard.add(await self._heartbeat())
            return len(heard) > times

        await until(enough)

    async def _heartbeat(self) -> object:
        member = await self.client.get(InternalMemberCluster, Key(NAMESPACE, CLUSTER))
        agent = member.status.agent if member else None
        return agent.last_received_heartbeat if agent else None

    async def left_alone_by(self, agent: AgentProcess) -> None:
        """Wait until this agent stands aside, not another that wrote so on the hub before."""
        await until(lambda: agent.said("stands aside"))
        await until(self._aside)

    async def _aside(self) -> bool:
        return "stands aside" in (await self.joined())[1]

    async def taken_up(self) -> bool:
        """Whether both Workspaces are reconciled by us."""
        keys = (self.at_home, Key("default", self.name))
        found = [await self.client.get(Workspace, key) for key in keys]
        return all(each and each.status.conditions for each in found)

    async def clear(self) -> None:
        for key in (self.at_home, Key("default", self.name)):
            found = await self.client.get(Workspace, key)
            if found:
                await self.client.delete(found)


async def readiness(environ: Mapping[str, str]) -> tuple[int, str]:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"http://{environ['MEMBER_AGENT_HEALTH_LISTEN']}/readyz")
    return answer.status_code, answer.text


async def test_an_agent_writes_nothing_while_kaito_runs_and_goes_on_when_it_stops(
    agent: AgentProcess, client: ApiClient, environ: Mapping[str, str]
) -> None:
    world = World(client, "aside")
    async with running(client, KAITO, KAITO_NAMESPACE):
        await world.write()
        before = await world.versions()
        await agent.start()
        await world.left_alone_by(agent)
        status, said = await readiness(environ)
        assert status == 503
        assert f"Lease {KAITO_NAMESPACE}/ef60f9b0.io, held by {KAITO_NAMESPACE}-0" in said
        assert "stop KAITO, or start the agent with --beside" in said
        assert (await world.joined())[0] == "False"
        assert await world.versions() == before
        assert agent.said("stands aside") == 1
    await until(world.taken_up)
    await until(lambda: _is(world, "True"))
    assert (await readiness(environ))[0] == 200

    await world.clear()


async def test_an_agent_stops_writing_when_kaito_comes(
    agent: AgentProcess, client: ApiClient
) -> None:
    world = World(client, "late")
    await agent.start()
    async with running(client, KAITO, KAITO_NAMESPACE):
        await world.left_alone_by(agent)
        await world.write()
        before = await world.versions()
        await world.beats(2)
        assert await world.versions() == before
    await until(world.taken_up)
    await world.clear()


async def _is(world: World, joined: str) -> bool:
    return (await world.joined())[0] == joined


async def test_beside_kaito_an_agent_places_and_reports_and_reconciles_nothing(
    environ: Mapping[str, str], client: ApiClient, tmp_path: Path
) -> None:
    agent = AgentProcess(tmp_path, {**environ, "MEMBER_AGENT_BESIDE": "true"})
    world = World(client, "beside")
    placed = Key("default", world.name)
    try:
        async with running(client, KAITO, KAITO_NAMESPACE):
            await world.write()
            await agent.start(times=3)
            await until(lambda: client.get(Workspace, placed))
            await until(lambda: _is(world, "True"))
            await _reconcile_as_kaito(client, placed)
            await until(lambda: _reported(client, world.key))
            live = await client.dynamic.get(ApiResource.of(Workspace), placed)
            written = live["metadata"] if live else {}
            managers = {entry["manager"] for entry in written["managedFields"]}
            assert managers == {"modelfleet-member-agent-work", "kaito"}
            assert "finalizers" not in written
            assert await client.get(StatefulSet, placed) is None
            assert agent.said("stands aside") == 0
    finally:
        await agent.kill()
        await _let_go(client, world.key)
        await world.clear()


class Routes:
    """Where a regional gateway would send requests."""

    def __init__(self) -> None:
        self.told = list[Snapshot]()

    def services(self) -> Mapping[str, Service]:
        found = self.told[-1].services if self.told else ()
        return {place.name: each for each in found for place in each.endpoints}


@pytest.fixture
async def routes(server: ApiServer) -> AsyncIterator[Routes]:
    made, watcher = Routes(), Watcher(server.connection())
    following = asyncio.ensure_future(follow_pods(watcher, made.told.append, "eu"))
    yield made
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following
    await watcher.close()


async def test_pods_that_kaito_makes_of_what_was_placed_are_routed_to(
    environ: Mapping[str, str], client: ApiClient, tmp_path: Path, routes: Routes
) -> None:
    agent = AgentProcess(tmp_path, {**environ, "MEMBER_AGENT_BESIDE": "true"})
    world = World(client, "routed")
    own, first, second = pod(world.at_home.name), pod(world.name), pod(world.name, "1")
    try:
        async with running(client, KAITO, KAITO_NAMESPACE):
            await world.write()
            await _run(client, own, first)
            await agent.start(times=3)
            await until(lambda: routes.services().keys() == {str(first.key)})
            await _run(client, second)
            await until(lambda: _managers(client, second.key, MARKED))
            assert await _managers(client, first.key, MARKED)
            assert await _managers(client, own.key, {"kaito"})
            served = routes.services()[str(first.key)]
            assert served.models[0] == served.endpoints[0].model == MODEL
    finally:
        await agent.kill()
        for each in (own, first, second):
            await client.delete(each, grace_seconds=0)
        await _let_go(client, world.key)
        await world.clear()


async def test_an_agent_beside_that_of_kubefleet_writes_nothing_at_all(
    environ: Mapping[str, str], client: ApiClient, tmp_path: Path
) -> None:
    agent = AgentProcess(tmp_path, {**environ, "MEMBER_AGENT_BESIDE": "true"})
    world = World(client, "kubefleet")
    try:
        async with running(client, KUBEFLEET_AGENT, "fleet-system"):
            await world.write()
            member = await client.get(InternalMemberCluster, Key(NAMESPACE, CLUSTER))
            before = await world.versions()
            await agent.start(waiting_for="stands aside", times=1)
            status, said = await readiness(environ)
            assert (status, "KubeFleet's member agent" in said) == (503, True)
            await until(lambda: _told(client))
            assert await world.versions() == before
            assert await client.get(InternalMemberCluster, Key(NAMESPACE, CLUSTER)) == member
        await until(lambda: client.get(Workspace, Key("default", world.name)))
    finally:
        await agent.kill()
        await _let_go(client, world.key)
        await world.clear()


async def _reconcile_as_kaito(client: ApiClient, key: Key) -> None:
    """Say of a Workspace that it serves."""
    found = await client.get(Workspace, key)
    assert found
    condition = {
        "type": "WorkspaceSucceeded",
        "status": "True",
        "reason": "workspaceSucceeded",
        "message": "",
        "observedGeneration": found.metadata.generation,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    said = found.status.model_validate({"conditions": [condition], "state": "Ready"})
    await client.as_manager("kaito").patch_status(found, said)


async def _run(client: ApiClient, *pods: Pod) -> None:
    """Have pods of KAITO's serve."""
    kaito = client.as_manager("kaito")
    for each in pods:
        await kaito.patch_status(await kaito.create(each), each.status)


async def _managers(client: ApiClient, key: Key, wanted: set[str]) -> bool:
    """Whether these have written something of a pod, and nobody else."""
    live = await client.dynamic.get(ApiResource.of(Pod), key)
    fields = live["metadata"]["managedFields"] if live else ()
    return {each["manager"] for each in fields} == wanted


async def _reported(client: ApiClient, key: Key) -> bool:
    """Whether the hub hears that the Workspace serves, and its status."""
    work = await client.get(Work, key)
    found = find(work.status.conditions, "Available") if work else None
    if work is None or found is None or not found.true:
        return False
    return all(each.back_reported_status for each in work.status.manifest_conditions)


async def _told(client: ApiClient) -> bool:
    """Whether an event in the member's place on the hub says who is there."""
    events = (await client.list(Event, NAMESPACE)).objects()
    told = [event.message for event in events if event.reason == "StandsAside"]
    return any(said.startswith("KubeFleet's member agent, which is there") for said in told)


async def _let_go(client: ApiClient, key: Key) -> None:
    """Leave no Work for the next agent to finish."""
    work = await client.get(Work, key)
    if work:
        await client.delete(work)
    if work and WORK_BINDING_CLEANUP in work.metadata.finalizers:
        await client.json_patch(work, [{"op": "remove", "path": "/metadata/finalizers"}])
