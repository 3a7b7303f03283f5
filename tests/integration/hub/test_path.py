"""From a placement to a Work in the member's namespace, on a real API server."""

import pytest

from fleet.api import names
from fleet.kube.client import ApiClient
from fleet.testing.waiting import until
from tests.integration.hub.conftest import HubProcess
from tests.integration.hub.fleet import Fleet


@pytest.fixture
async def fleet(client: ApiClient, hub: HubProcess, request: pytest.FixtureRequest) -> Fleet:
    del hub
    name = names.digest(request.node.name)
    made = Fleet(client, f"team-{name}", f"us-{name}")
    await made.namespace_exists()
    await made.join()
    return made


async def test_a_placement_becomes_a_work_that_follows_its_objects(fleet: Fleet) -> None:
    await fleet.config_map("a", k="v")
    await fleet.place(clusters=[fleet.cluster])
    await until(lambda: _has(fleet, {"a": {"k": "v"}}))
    await until(lambda: _is(fleet, "WorkSynchronized"))
    await fleet.apply_in(fleet.cluster)
    await until(lambda: _is(fleet, "Available"))
    await fleet.config_map("a", k="w")
    await until(lambda: _has(fleet, {"a": {"k": "w"}}))


async def _has(fleet: Fleet, data: dict[str, dict[str, str]]) -> bool:
    return await fleet.data_in(fleet.cluster) == data


async def _is(fleet: Fleet, kind: str) -> bool:
    return await fleet.condition(kind) == "True"
