"""What is lost in the middle of a placement, hub or API server, changes nothing in the end."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sized

import pytest

from fleet.api import names
from fleet.api.binding import BindingState
from fleet.api.placement import ResourcePlacement
from fleet.api.snapshot import ResourceSnapshot, SchedulingPolicySnapshot
from fleet.kube.client import ApiClient
from fleet.kube.errors import TransientError
from fleet.testing.apiserver import ApiServer
from fleet.testing.waiting import until
from tests.integration.hub.conftest import HubProcess
from tests.integration.hub.fleet import Fleet

pytestmark = pytest.mark.faults


@pytest.fixture
async def fleet(
    server: ApiServer, client: ApiClient, hub: HubProcess, request: pytest.FixtureRequest
) -> AsyncIterator[Fleet]:
    del hub
    name = names.digest(request.node.name)
    made = Fleet(client, f"team-{name}", f"us-{name}")
    await made.namespace_exists()
    await made.join()
    yield made
    server.start()


async def _has(fleet: Fleet, data: dict[str, dict[str, str]]) -> bool:
    return await fleet.data_in(fleet.cluster) == data


async def _is(fleet: Fleet, kind: str) -> bool:
    return await fleet.condition(kind) == "True"


async def _lose(server: ApiServer, fleet: Fleet) -> None:
    """Lose the API server, and wait until it answers this test again."""

    async def answers() -> bool:
        try:
            await fleet.placement()
        except TransientError:
            return False
        return True

    server.kill()
    server.start()
    await until(answers)


async def _whole(fleet: Fleet) -> bool:
    """Say whether one binding has the one latest snapshot, and its one Work holds just that."""
    bindings, works = await fleet.bindings(), await fleet.works()
    latest = [one for one in await fleet.all(ResourceSnapshot) if one.latest]
    policies = [one for one in await fleet.all(SchedulingPolicySnapshot) if one.latest]
    if not (len(bindings) == len(works) == len(latest) == len(policies) == 1):
        return False
    spec = bindings[0].spec
    manifests = tuple(works[0].spec.workload.manifests)
    return (
        spec.state is BindingState.BOUND
        and spec.resource_snapshot_name == latest[0].name
        and spec.scheduling_policy_snapshot_name == policies[0].name
        and manifests == tuple(latest[0].spec.selected_resources)
    )


STAGES: dict[str, Callable[[Fleet], Awaitable[Sized]]] = {
    "a placement": lambda fleet: fleet.all(ResourcePlacement),
    "a snapshot": lambda fleet: fleet.all(ResourceSnapshot),
    "a binding": lambda fleet: fleet.bindings(),
    "a Work": lambda fleet: fleet.works(),
}


async def _some(fleet: Fleet, stage: str) -> bool:
    return len(await STAGES[stage](fleet)) > 0


@pytest.mark.parametrize("stage", STAGES)
async def test_a_hub_killed_in_the_middle_of_a_placement_ends_what_it_began(
    fleet: Fleet, hub: HubProcess, stage: str
) -> None:
    await fleet.config_map("a", k="v")
    await fleet.place(clusters=[fleet.cluster])
    await until(lambda: _some(fleet, stage))
    await hub.kill()
    await fleet.config_map("a", k="w")
    await fleet.config_map("b", k="v")
    await hub.start()
    await until(lambda: _has(fleet, {"a": {"k": "w"}, "b": {"k": "v"}}))
    await until(lambda: _whole(fleet))
    await fleet.apply_in(fleet.cluster)
    await until(lambda: _is(fleet, "Available"))


async def test_a_placement_deleted_while_the_hub_is_away_leaves_nothing(
    fleet: Fleet, hub: HubProcess
) -> None:
    await fleet.config_map("a", k="v")
    await fleet.place(clusters=[fleet.cluster])
    await until(lambda: _whole(fleet))
    await hub.kill()
    live = await fleet.placement()
    assert live
    await fleet.client.delete(live)
    await hub.start()
    await until(lambda: _nothing(fleet))


async def test_a_hub_outlives_its_api_server_and_goes_on(
    fleet: Fleet, hub: HubProcess, server: ApiServer
) -> None:
    await fleet.config_map("a", k="v")
    await fleet.place(clusters=[fleet.cluster])
    await until(lambda: _whole(fleet))
    await _lose(server, fleet)
    await fleet.config_map("a", k="w")
    await until(lambda: _has(fleet, {"a": {"k": "w"}}))
    await until(lambda: _whole(fleet))
    assert hub.process
    assert hub.process.returncode is None


async def test_an_api_server_lost_in_the_middle_of_a_placement_costs_time_only(
    fleet: Fleet, server: ApiServer
) -> None:
    await fleet.config_map("a", k="v")
    await fleet.place(clusters=[fleet.cluster])
    await _lose(server, fleet)
    await until(lambda: _whole(fleet))


async def test_a_binding_whose_label_was_taken_away_gets_it_back_and_its_work_stays(
    fleet: Fleet,
) -> None:
    await fleet.config_map("a", k="v")
    await fleet.place(clusters=[fleet.cluster])
    await until(lambda: _whole(fleet))
    (binding,), (work,) = await fleet.bindings(), await fleet.works()
    labels = dict(binding.metadata.labels)
    await fleet.client.json_patch(binding, [{"op": "remove", "path": "/metadata/labels"}])

    async def mended() -> bool:
        (found,) = await fleet.bindings()
        return dict(found.metadata.labels) == labels and await _whole(fleet)

    await until(mended)
    assert [each.metadata.uid for each in await fleet.works()] == [work.metadata.uid]


async def test_a_deleted_placement_waits_for_its_member_and_leaves_nothing(fleet: Fleet) -> None:
    await fleet.config_map("a", k="v")
    await fleet.place(clusters=[fleet.cluster])
    await until(lambda: _whole(fleet))
    await fleet.hold_work()
    live = await fleet.placement()
    assert live
    await fleet.client.delete(live)
    await until(lambda: _going(fleet))
    assert await fleet.placement()
    assert len(await fleet.bindings()) == 1
    await fleet.let_work_go()
    await until(lambda: _nothing(fleet))


async def _going(fleet: Fleet) -> bool:
    work = await fleet.work(fleet.cluster)
    return work is not None and work.deleting


async def _nothing(fleet: Fleet) -> bool:
    left = [
        await fleet.placement(),
        *await fleet.bindings(),
        *await fleet.works(),
        *await fleet.all(ResourceSnapshot),
        *await fleet.all(SchedulingPolicySnapshot),
    ]
    return left == [None]
