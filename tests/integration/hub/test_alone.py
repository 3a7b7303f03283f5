"""The scheduler alone decides against any API server, goes on through what is wrong, and ends."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fleet.api.binding import ClusterResourceBinding
from fleet.api.keys import Key
from fleet.api.placement import ClusterResourcePlacement
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer
from fleet.testing.waiting import until
from tests.integration.hub.scheduler import Desk, scheduler

CHOSEN = "Scheduled"


def compared(operator: str) -> dict[str, object]:
    expression = {"name": "example.com/size", "operator": operator, "values": ["1"]}
    return {"propertySelector": {"matchExpressions": [expression]}}


@pytest.fixture
async def desk(server: ApiServer, client: ApiClient, tmp_path: Path) -> AsyncIterator[Desk]:
    alone = scheduler(server, tmp_path)
    try:
        await alone.start()
        yield Desk(client, "alone")
        assert await alone.terminate() == 0
    finally:
        await alone.kill()


async def test_what_is_wrong_with_one_placement_or_cluster_is_said_and_the_rest_goes_on(
    desk: Desk,
) -> None:
    size = {"value": "many", "observationTime": "2026-01-01T00:00:00Z"}
    await desk.join("a", properties={"example.com/size": size})
    await desk.join("b", properties={"example.com/size": size | {"value": "2"}})
    await desk.join("c")
    await desk.place("operator", 1, **compared("About"))
    await desk.place("number", 2, **compared("Gt"))
    await desk.place("good", 2)

    async def decided() -> bool:
        said = [await desk.said(name) for name in ("operator", "number", "good")]
        return [status for status, _ in said] == ["False", "False", "True"]

    await until(decided)
    assert await desk.states("good") == {"c": CHOSEN, "b": CHOSEN}
    assert await desk.states("number") == {"b": CHOSEN}
    assert "cluster-affinity" in (await desk.said("operator"))[1]

    await desk.leave("c")

    async def replaced() -> bool:
        return await desk.states("good") == {"c": "Unscheduled", "b": CHOSEN, "a": CHOSEN}

    await until(replaced)
    await _mended(desk)
    await _made_again(desk)


async def _mended(desk: Desk) -> None:
    """Edit a binding by hand, and take its finalizer and its label away."""
    (binding,) = await desk.bindings("number")
    move = {"op": "replace", "path": "/spec/targetCluster", "value": "alone-a"}
    parts = ({"op": "remove", "path": f"/metadata/{part}"} for part in ("finalizers", "labels"))
    await desk.client.json_patch(binding, [move, *parts])

    async def mended() -> bool:
        held = [bool(found.metadata.finalizers) for found in await desk.bindings("number")]
        return held == [True] and await desk.states("number") == {"b": CHOSEN}

    await until(mended)


async def _made_again(desk: Desk) -> None:
    """Delete a placement, and make another of its name at once."""
    placement = await desk.client.get(ClusterResourcePlacement, Key("", "alone-number"))
    (before,) = await desk.bindings("number")
    assert placement
    await desk.client.delete(placement)

    async def gone() -> bool:
        return await desk.client.get(ClusterResourcePlacement, placement.key) is None

    await until(gone)
    snapshot = await desk.snapshot("number")
    assert snapshot
    await desk.client.delete(snapshot)
    await desk.place("number", 2, **compared("Gt"))

    async def anew() -> bool:
        return await desk.states("number") == {"b": CHOSEN}

    await until(anew)
    assert await desk.client.get(ClusterResourceBinding, before.key) is None
