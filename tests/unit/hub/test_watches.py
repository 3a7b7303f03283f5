"""A kind is watched for as long as a placement reaches it, and by one watch only."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from fleet.api.core import ConfigMap, Secret
from fleet.api.objects import Key
from fleet.api.workspace import Workspace
from fleet.kube.cache import Cache
from fleet.kube.resources import ApiResource
from fleet.testing.client import FakeClient
from fleet.testing.workloads import workspace
from hub.watches import Meta, Watches
from tests.unit.hub.world import config_map

MAPS, SECRETS = ApiResource.of(ConfigMap), ApiResource.of(Secret)


class Room:
    def __init__(self, *known: Cache[Workspace]) -> None:
        self.client = FakeClient()
        self.watches = Watches(self.client, known)
        self.heard: list[tuple[str, str]] = []
        self.watches.on_change(self.hear)

    def hear(self, resource: ApiResource, meta: Meta) -> None:
        self.heard.append((resource.kind, meta.name))

    @property
    def running(self) -> set[str]:
        return {resource.kind for resource in self.watches.running}


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    made = Room()
    yield made
    made.watches.close()


async def test_what_is_held_is_listed_and_followed(room: Room) -> None:
    room.client.put(config_map("a"))
    await room.watches.hold("one", {MAPS})
    assert [meta.name for meta in room.watches.all(MAPS, "demo")] == ["a"]
    room.client.put(config_map("b"))
    await room.client.delete(config_map("a"))
    assert room.heard == [("ConfigMap", "a"), ("ConfigMap", "b"), ("ConfigMap", "a")]
    assert room.watches.get(MAPS, Key("demo", "a")) is None
    found = room.watches.get(MAPS, Key("demo", "b"))
    assert found
    assert found.labels == {"app": "llama"}


async def test_two_users_share_a_watch(room: Room) -> None:
    await room.watches.hold("one", {MAPS})
    await room.watches.hold("two", {MAPS})
    assert set(room.watches.users(MAPS)) == {"one", "two"}
    room.client.put(config_map("a"))
    assert room.heard == [("ConfigMap", "a")]


async def test_a_watch_that_nobody_uses_ends_after_a_while(room: Room) -> None:
    await room.watches.hold("one", {MAPS, SECRETS})
    await room.watches.hold("one", {SECRETS})
    room.watches.sweep(60)
    assert room.running == {"ConfigMap", "Secret"}
    room.watches.sweep(0)
    assert room.running == {"Secret"}
    room.watches.release("one")
    room.watches.sweep(0)
    assert room.running == set()
    assert room.watches.users(MAPS) == ()


async def test_a_watch_goes_on_while_anybody_uses_it(room: Room) -> None:
    await room.watches.hold("one", {MAPS})
    await room.watches.hold("two", {MAPS})
    room.watches.release("one")
    room.watches.sweep(0)
    assert room.running == {"ConfigMap"}


async def test_a_placement_made_again_finds_its_watch_running(room: Room) -> None:
    room.client.put(config_map("a"))
    await room.watches.hold("one", {MAPS})
    room.watches.release("one")
    await room.watches.hold("two", {MAPS})
    room.watches.sweep(0)
    assert room.heard == [("ConfigMap", "a")]


async def test_what_the_program_watches_anyway_is_read_there_and_never_ended() -> None:
    cache = Cache(Workspace)
    room = Room(cache)
    room.client.put(workspace())
    await room.client.relist(cache)
    resource = ApiResource.of(Workspace)
    await room.watches.hold("one", {resource})
    room.watches.release("one")
    room.watches.sweep(0)
    room.watches.close()
    assert [meta.name for meta in room.watches.all(resource, None)] == ["phi"]
    assert room.heard == [("Workspace", "phi")]
    body = room.watches.body(resource, Key("demo", "phi"))
    assert body
    assert b"phi-4-mini-instruct" in body


async def test_only_metadata_is_kept_of_other_kinds(room: Room) -> None:
    room.client.put(config_map("a", k="v"))
    await room.watches.hold("one", {MAPS})
    assert room.watches.body(MAPS, Key("demo", "a")) is None
    assert room.watches.body(SECRETS, Key("demo", "a")) is None


async def test_ending_the_program_ends_every_watch(room: Room) -> None:
    running = asyncio.create_task(room.watches.run())
    await room.watches.hold("one", {MAPS, SECRETS})
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert room.running == set()
    room.client.put(config_map("late"))
    await asyncio.sleep(0)
    assert room.client.server.watchers == []
