"""A client's own writes are seen at once, and old news of them changes nothing."""

import json
from typing import Any

import pytest

from fleet.api.core import ConfigMap
from fleet.api.keys import Key
from fleet.kube.cache import Cache
from fleet.kube.dynamic import partial
from fleet.kube.resources import ApiResource
from fleet.kube.written import Written

MAPS = ApiResource.of(ConfigMap)
KEY = Key("demo", "a")


def body(version: int, *, uid: str = "1", kind: str = "ConfigMap", **metadata: Any) -> bytes:
    meta = {"name": "a", "namespace": "demo", "uid": uid, "resourceVersion": str(version)}
    return json.dumps({"kind": kind, "metadata": meta | metadata}).encode()


def success(uid: str = "1") -> bytes:
    """What the server answers when an object went at once."""
    details = {"name": "a", "kind": "configmaps", "uid": uid}
    return json.dumps({"kind": "Status", "status": "Success", "details": details}).encode()


def filled(**more: Any) -> Cache[ConfigMap]:
    cache = Cache(ConfigMap, **more)
    cache.fill()
    return cache


def remembering(*caches: Cache[Any]) -> Written:
    written = Written()
    written.remember(caches)
    return written


def version(cache: Cache[ConfigMap]) -> str:
    found = cache.get(KEY)
    return found.metadata.resource_version if found else ""


def test_a_write_is_seen_before_the_watch_brings_it_and_told_of_once() -> None:
    cache, heard = filled(), list[str]()
    cache.on_change(lambda found: heard.append(found.name))
    written = remembering(cache)
    assert written.see(MAPS, body(5)) is cache.get(KEY)
    assert version(cache) == "5"
    cache.put(body(5))
    assert heard == ["a"]


def test_what_no_cache_has_read_from_the_answer_itself_is_not_given() -> None:
    cache = filled()
    cache.put(body(5))
    assert remembering(cache).see(MAPS, body(5)) is None
    assert remembering(cache).see(MAPS, body(4)) is None
    assert Written().see(MAPS, body(6)) is None


def test_an_answer_that_comes_after_newer_news_is_not_believed() -> None:
    cache = filled()
    cache.put(body(9))
    remembering(cache).see(MAPS, body(5))
    assert version(cache) == "9"
    cache.remove(KEY, version=10)
    remembering(cache).see(MAPS, body(7))
    assert len(cache) == 0


def test_an_older_event_of_the_watch_does_not_undo_a_write() -> None:
    cache = filled()
    remembering(cache).see(MAPS, body(5))
    cache.put(body(3))
    cache.remove(KEY, version=4)
    assert version(cache) == "5"


@pytest.mark.parametrize(
    "cache",
    [
        Cache(ConfigMap),
        filled(label_selector="a=b"),
        filled(namespace="other"),
        Cache(partial(MAPS)),
    ],
)
def test_a_cache_that_is_not_full_or_does_not_hold_it_is_left_alone(cache: Cache[Any]) -> None:
    written = remembering(cache)
    written.see(MAPS, body(5))
    written.see_deleted(MAPS, KEY, success())
    assert len(cache) == 0


def test_each_cache_of_the_kind_sees_a_write() -> None:
    every, some, other = filled(), filled(namespace="demo"), Cache(partial(MAPS))
    written = remembering(every, some, other)
    written.see(MAPS, body(5))
    assert (len(every), len(some), len(other)) == (1, 1, 0)
    written.see_deleted(MAPS, KEY, success())
    assert (len(every), len(some)) == (0, 0)


def test_what_waits_for_its_finalizers_is_there_until_they_are_gone() -> None:
    cache = filled()
    cache.put(body(5, finalizers=["hold"]))
    going = body(6, finalizers=["hold"], deletionTimestamp="2026-01-01T12:00:00Z")
    remembering(cache).see_deleted(MAPS, KEY, going)
    found = cache.get(KEY)
    assert found is not None
    assert found.deleting


def test_a_namesake_made_meanwhile_is_not_taken_for_what_was_deleted() -> None:
    cache = filled()
    cache.put(body(5))
    cache.remove(KEY, version=6)
    cache.put(body(7, uid="2"))
    remembering(cache).see_deleted(MAPS, KEY, success())
    assert version(cache) == "7"


def test_a_deletion_of_what_no_cache_holds_is_nothing() -> None:
    written = remembering(filled())
    written.see_deleted(MAPS, KEY, success())
    written.see_deleted(ApiResource("v1", "Secret", "secrets", namespaced=True), KEY, success())
