"""An object that goes with its kind is told from one that somebody deleted."""

from fleet.api.core import ConfigMap
from fleet.api.ending import Ending
from fleet.api.keys import Key
from fleet.api.objects import Metadata
from fleet.kube.removals import Removals
from fleet.testing.client import FakeClient

OBJECT = ConfigMap(metadata=Metadata(name="a", namespace="demo", uid="u"))


async def test_a_deletion_is_the_objects_own_once_the_server_had_time_to_say_otherwise() -> None:
    client, times = FakeClient(), iter((0.0, 0.9, 1.0))
    removals = Removals(client, elapsed=lambda: next(times))
    found = [await removals.of(OBJECT) for _ in range(3)]
    assert found == [Ending.UNKNOWN, Ending.UNKNOWN, Ending.OWN]
    client.removed.add("ConfigMap")
    assert await removals.of(OBJECT) is Ending.WITH_KIND


async def test_what_is_gone_without_our_consent_is_waited_for_a_minute() -> None:
    times = iter((0.0, 59.0, 60.0, 61.0))
    removals = Removals(FakeClient(), elapsed=lambda: next(times))
    found = [removals.gone(Key("demo", "a")) for _ in range(3)]
    assert found == [Ending.UNKNOWN, Ending.UNKNOWN, Ending.OWN]
    removals.there(Key("demo", "a"))
    assert removals.gone(Key("demo", "a")) is Ending.UNKNOWN


async def test_what_was_seen_long_ago_is_forgotten() -> None:
    times = iter((0.0, 1000.0, 1000.0))
    removals = Removals(FakeClient(), elapsed=lambda: next(times))
    assert removals.gone(Key("demo", "a")) is Ending.UNKNOWN
    assert removals.gone(Key("demo", "b")) is Ending.UNKNOWN
    assert removals.gone(Key("demo", "a")) is Ending.UNKNOWN
