"""Events are written once for what they say, counted where it is said again, and disturb nobody."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

from fleet.api.core import ConfigMap, Event, Namespace
from fleet.api.happenings import Happening
from fleet.api.objects import Metadata, Resource
from fleet.kube.events import PENDING, Events
from fleet.runtime.metrics import exposition
from fleet.testing.client import FakeClient
from fleet.testing.waiting import until

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CHOSEN = Happening("Scheduled", "eu is chosen")
LOST = Happening("Lost", "us is silent", warning=True)


def config(name: str = "phi") -> ConfigMap:
    return ConfigMap(metadata=Metadata(name=name, namespace="demo", uid=f"uid-{name}"))


class Desk:
    """A program that tells, on a server that keeps its state, at a time that a test sets."""

    def __init__(self, client: FakeClient | None = None) -> None:
        self.client, self.now = client or FakeClient(), NOON
        self.events = Events(self.client, "modelfleet-test", lambda: self.now)

    async def tell(self, *happened: Happening, about: Resource | None = None) -> None:
        with self.events.heard():
            self.events.tell(about or config(), happened)
        await self.events.write_all()

    def written(self) -> list[tuple[str, int]]:
        return sorted((event.message, event.count) for event in self.client.all(Event))


def counted(outcome: str) -> float:
    start = f'modelfleet_kube_events_total{{outcome="{outcome}"}} '
    lines = exposition().decode().splitlines()
    return sum(float(line.removeprefix(start)) for line in lines if line.startswith(start))


async def test_an_event_says_what_happened_to_which_object_and_who_says_so() -> None:
    desk = Desk()
    await desk.tell(LOST)
    (body,) = desk.client.bodies(Event)
    assert body["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "phi",
        "namespace": "demo",
        "uid": "uid-phi",
    }
    assert body["metadata"]["namespace"] == "demo"
    assert (body["type"], body["reason"], body["message"]) == ("Warning", "Lost", "us is silent")
    assert body["source"]["component"] == body["reportingComponent"] == "modelfleet-test"
    assert body["firstTimestamp"] == body["lastTimestamp"] == "2026-01-01T12:00:00Z"


async def test_what_concerns_no_namespace_is_told_in_the_default_one() -> None:
    desk = Desk()
    await desk.tell(LOST, about=Namespace(metadata=Metadata(name="demo", uid="u")))
    (event,) = desk.client.all(Event)
    assert event.namespace == "default"
    assert "namespace" not in event.involved_object


@pytest.mark.parametrize("restarted", [False, True])
async def test_what_is_told_again_is_counted_by_a_later_process_too(*, restarted: bool) -> None:
    desk = Desk()
    await desk.tell(CHOSEN, CHOSEN, LOST)
    if restarted:
        desk = Desk(desk.client)
    desk.now += timedelta(minutes=5)
    await desk.tell(CHOSEN)
    assert desk.written() == [("eu is chosen", 3), ("us is silent", 1)]
    body = next(b for b in desk.client.bodies(Event) if b["reason"] == "Scheduled")
    assert body["firstTimestamp"] == "2026-01-01T12:00:00Z"
    assert body["lastTimestamp"] == "2026-01-01T12:05:00Z"


async def test_an_event_that_the_server_has_forgotten_is_written_anew() -> None:
    desk = Desk()
    await desk.tell(CHOSEN)
    (event,) = desk.client.all(Event)
    await desk.client.delete(event)
    await desk.tell(CHOSEN)
    assert desk.written() == [("eu is chosen", 1)]


async def test_namesakes_and_other_objects_have_events_of_their_own() -> None:
    desk = Desk()
    for about in (config(), config("llama"), Namespace(metadata=Metadata(name="phi", uid="u"))):
        await desk.tell(CHOSEN, about=about)
    assert len(desk.client.all(Event)) == 3


async def test_a_message_is_no_longer_than_the_server_takes() -> None:
    desk = Desk()
    await desk.tell(Happening("Long", "x" * 5_000))
    assert desk.written() == [("x" * 1024, 1)]


async def test_a_server_that_takes_no_events_is_told_of_the_next(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    desk, before = Desk(), counted("failed")
    desk.client.writes_left = 0
    await desk.tell(LOST)
    desk.client.writes_left = 100
    await desk.tell(CHOSEN)
    assert desk.written() == [("eu is chosen", 1)]
    assert counted("failed") == before + 1
    assert [record.message for record in caplog.records] == ["an event could not be written"]


async def test_a_flood_is_cut_off_and_counted() -> None:
    desk, before = Desk(), counted("dropped")
    await desk.tell(*(Happening("Flood", str(number)) for number in range(PENDING + 7)))
    assert len(desk.written()) == PENDING
    assert counted("dropped") == before + 7


async def test_a_replica_that_does_not_lead_says_nothing_then_or_later() -> None:
    client = FakeClient()
    events = Events(client, "modelfleet-test", lambda: NOON, per_second=1_000)
    events.tell(config(), [LOST])
    task = asyncio.create_task(events.run())
    await asyncio.sleep(0)
    events.tell(config(), [CHOSEN])
    await until(lambda: client.all(Event))
    task.cancel()
    assert [event.message for event in client.all(Event)] == ["eu is chosen"]
