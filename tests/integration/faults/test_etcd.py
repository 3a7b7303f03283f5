"""An etcd that is slow or full costs time, and nothing else; who looks is told what to do."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import pytest
import pytest_asyncio

from fleet.api.objects import Key
from fleet.kube.client import ApiClient
from fleet.kube.lease import LEASES
from fleet.testing.apiserver import ApiServer, unstarted
from fleet.testing.interceptor import Call
from fleet.testing.kinds import install
from fleet.testing.relay import Relay, relay
from fleet.testing.waiting import passes, until
from tests.integration.faults.outcome import Outcome
from tests.integration.faults.programs import Nursery
from tests.integration.faults.scene import Recording, Scene, Stage, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
SYSTEM = "modelfleet-system"
LEASED = {"HUB_NAMESPACE": SYSTEM, "MEMBER_AGENT_NAMESPACE": SYSTEM}
DELAY_SECONDS = 0.15
"""Of each piece, each way: an etcd whose disk is shared, or that is in another region."""
FULL = "can store nothing more"


@dataclass(frozen=True, slots=True)
class Cluster:
    server: ApiServer
    line: Relay
    """Between the server and its etcd."""


@asynccontextmanager
async def cluster() -> AsyncIterator[Cluster]:
    with unstarted(os.environ) as server:
        async with relay(server.etcd_port) as line:
            server.etcd_seen_at = line.port
            await asyncio.to_thread(server.start)
            await install(server)
            yield Cluster(server, line)


@dataclass(frozen=True, slots=True)
class Clusters:
    hub: Cluster
    member: Cluster

    @contextmanager
    def slow(self) -> Iterator[None]:
        """Have both be far from their etcd for as long as the block runs."""
        lines = (self.hub.line, self.member.line)
        for line in lines:
            line.delay_seconds = DELAY_SECONDS
        try:
            yield
        finally:
            for line in lines:
                line.delay_seconds = 0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clusters() -> AsyncIterator[Clusters]:
    async with cluster() as hub, cluster() as member:
        yield Clusters(hub, member)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(
    clusters: Clusters, programs: Nursery, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    home = tmp_path_factory.mktemp("scene")
    hub, member = clusters.hub.server, clusters.member.server
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}}
    for server in (hub, member):
        client = ApiClient(server.connection(), "test")
        await client.dynamic.apply(space)
        await client.close()
    async with scene(Stage(hub, member, programs, home, LEASED)) as made:
        yield made


async def leaders(fleet: Scene) -> list[tuple[str, int]]:
    """Say who leads, and how often that has changed."""
    sides = ((fleet.hub_client, "modelfleet-hub"), (fleet.member_client, "modelfleet-member-agent"))
    found = [await client.dynamic.get(LEASES, Key(SYSTEM, name)) for client, name in sides]
    specs = [lease["spec"] for lease in found if lease]
    return [(spec["holderIdentity"], spec["leaseTransitions"]) for spec in specs]


def twice(calls: Iterable[Call], run: str) -> list[str]:
    """Name what was sent to the same place in the same words more than once."""
    ours = (call for call in calls if call.speaks_of(run))
    counted = Counter((call.manager, call.verb, call.path, call.body) for call in ours)
    return [f"{manager} {verb} {path}" for (manager, verb, path, _), n in counted.items() if n > 1]


def complaints(fleet: Scene) -> list[str]:
    """Give what programs say that is more than that they try again."""
    lines = [line for program in fleet.programs for line in program.words().splitlines()]
    return [line for line in lines if '"level": "INFO"' not in line]


async def test_a_slow_etcd_costs_time_only(
    fleet: Scene, clusters: Clusters, undisturbed: Outcome
) -> None:
    run, heard = "run-slow", Recording()
    led, said = await leaders(fleet), complaints(fleet)
    fleet.listen(heard)
    with clusters.slow():
        await fleet.deploy(run)
        await fleet.ends_as(run, undisturbed)
        assert await leaders(fleet) == led
    assert twice(heard.writes, run) == []
    assert complaints(fleet) == said


async def test_a_full_etcd_of_the_hub_is_named_and_nothing_is_tried_without_a_lease(
    fleet: Scene, clusters: Clusters, undisturbed: Outcome, outage_seconds: float
) -> None:
    run, heard = "run-hub-full", Recording()
    led, named = await leaders(fleet), [each.said(FULL) for each in fleet.programs]
    fleet.listen(heard)
    await fleet.deploy(run)
    await until(lambda: any(call.speaks_of(run) for call in heard.writes))
    with clusters.hub.server.full():
        await until(lambda: fleet.hub.said("modelfleet-hub could not be renewed in time"))
        # What was on its way then has its answer by now.
        await passes(1)
        tried = len(heard.writes)
        await passes(outage_seconds / 2)
        assert not [call for call in heard.writes[tried:] if of_hub(call)]
        assert [each.said(FULL) for each in fleet.programs] == [count + 1 for count in named]
    await fleet.ends_as(run, undisturbed)
    assert await leaders(fleet) == led


def of_hub(call: Call) -> bool:
    return call.manager.startswith("modelfleet-hub-") and call.resource != "leases"


async def test_a_full_etcd_of_a_member_is_named_by_its_agent(
    fleet: Scene, clusters: Clusters, undisturbed: Outcome, outage_seconds: float
) -> None:
    run, heard = "run-member-full", Recording()
    led, named = await leaders(fleet), fleet.agent.said(FULL)
    fleet.listen(heard)
    await fleet.deploy(run)
    await until(lambda: any(call.resource == "appliedworks" for call in heard.writes))
    with clusters.member.server.full():
        await until(lambda: fleet.agent.said(FULL) > named)
        await passes(outage_seconds / 2)
        assert fleet.agent.said(FULL) == named + 1
    await fleet.ends_as(run, undisturbed)
    assert await leaders(fleet) == led
