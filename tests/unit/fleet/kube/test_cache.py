"""A cache takes in what is newer, and tells of what somebody reads."""

import logging
from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api.cluster import MemberCluster
from fleet.api.core import Pod, Secret
from fleet.api.objects import Key
from fleet.kube.cache import Cache
from fleet.kube.dynamic import partial, whole
from fleet.kube.resources import ApiResource
from fleet.kube.wire import ObjectMeta, shell, to_json


def region(meta: ObjectMeta) -> Iterable[str]:
    return [meta.labels["region"]] if "region" in meta.labels else []


@pytest.fixture
def cache() -> Cache[MemberCluster]:
    return Cache(MemberCluster, indices={"region": region})


def body(name: str, version: int, *, region: str = "eu", **parts: Any) -> dict[str, Any]:
    metadata = {"name": name, "resourceVersion": str(version), "labels": {"region": region}}
    identity = {"kind": "ServiceAccount", "name": "member-agent"}
    return {"metadata": metadata, "spec": {"identity": identity}} | parts


def names(cache: Cache[MemberCluster], where: str = "eu") -> list[str]:
    return [cluster.name for cluster in cache.by("region", where)]


def test_a_new_version_that_reads_the_same_wakes_nobody(cache: Cache[MemberCluster]) -> None:
    heard = list[str]()
    cache.on_change(lambda cluster: heard.append(cluster.name))
    cache.put(body("a", 1))
    cache.put(body("a", 2, unknown={"to": "the model"}))
    cache.put(body("a", 3, region="us"))
    assert heard == ["a", "a"]


def test_an_older_version_is_not_believed(cache: Cache[MemberCluster]) -> None:
    cache.put(body("a", 5, region="us"))
    cache.put(body("a", 4, region="eu"))
    assert (names(cache, "us"), names(cache, "eu")) == (["a"], [])


@pytest.mark.parametrize("listening", [True, False])
def test_an_unreadable_object_leaves_the_last_good_one(
    cache: Cache[MemberCluster], caplog: pytest.LogCaptureFixture, *, listening: bool
) -> None:
    if listening:
        cache.on_change(lambda _: None)
    cache.put(body("a", 5))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            cache.put(body("a", 6, region="us", spec="unreadable"))
    assert names(cache) == ["a"]
    assert len(caplog.records) == 1


def test_an_object_that_never_was_readable_is_logged_once_and_left_out(
    cache: Cache[MemberCluster], caplog: pytest.LogCaptureFixture
) -> None:
    cache.put(body("a", 1, spec="unreadable"))
    with caplog.at_level(logging.WARNING):
        assert [cache.all(), cache.get(Key("", "a"))] == [(), None]
    assert len(caplog.records) == 1
    cache.put(body("a", 2))
    assert names(cache) == ["a"]


def test_what_is_wrong_with_an_object_is_said_without_its_values(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cache = Cache(Secret)
    cache.put({"metadata": {"name": "token", "namespace": "a"}, "data": {"token": ["hunter2"]}})
    with caplog.at_level(logging.WARNING):
        assert cache.all() == ()
    said = vars(caplog.records[0])["why"]
    assert said.startswith("data.token: ")
    assert "hunter2" not in said


def test_what_cannot_even_be_named_is_passed_over(
    cache: Cache[MemberCluster], caplog: pytest.LogCaptureFixture
) -> None:
    cache.put({"metadata": "unreadable"})
    assert len(cache) == 0
    assert "unreadable metadata" in caplog.text


def test_a_deleted_object_is_told_of_as_it_was_last(cache: Cache[MemberCluster]) -> None:
    cache.put(body("a", 1))
    heard = list[MemberCluster]()
    cache.on_change(heard.append)
    cache.remove(Key("", "a"))
    cache.remove(Key("", "a"))
    assert [cluster.metadata.labels["region"] for cluster in heard] == ["eu"]
    assert names(cache) == []


def test_a_sweep_removes_what_the_list_lacks_unless_newer(cache: Cache[MemberCluster]) -> None:
    for name, version in (("kept", 1), ("lost", 2), ("new", 9)):
        cache.put(body(name, version))
    cache.sweep([("", "kept")], version=5)
    assert names(cache) == ["kept", "new"]


def test_a_list_from_before_a_deletion_does_not_bring_the_object_back(
    cache: Cache[MemberCluster],
) -> None:
    cache.put(body("a", 1))
    cache.remove(Key("", "a"), version=7)
    cache.put(body("a", 1))
    assert names(cache) == []
    cache.put(body("a", 8))
    assert names(cache) == ["a"]


def test_a_late_deletion_does_not_take_away_the_namesake_made_since(
    cache: Cache[MemberCluster],
) -> None:
    cache.put(body("a", 9))
    cache.remove(Key("", "a"), version=7)
    assert names(cache) == ["a"]


def test_a_server_that_starts_anew_is_believed_again(cache: Cache[MemberCluster]) -> None:
    cache.put(body("a", 500, region="us"))
    cache.put(body("gone", 400))
    cache.start_over()
    cache.put(body("a", 3))
    cache.sweep([("", "a")], version=4)
    assert (names(cache, "us"), names(cache, "eu")) == ([], ["a"])


def test_a_whole_list_overrules_what_another_history_left(cache: Cache[MemberCluster]) -> None:
    cache.put(body("a", 500, region="us"))
    cache.put(body("b", 900, region="us"))
    for name in ("a", "b"):
        new = to_json(body(name, 300))
        cache.take(shell(new).metadata, new, as_of=800)
    assert (names(cache, "eu"), names(cache, "us")) == (["a"], ["b"])


def test_a_listener_that_fails_does_not_keep_the_others_from_hearing(
    cache: Cache[MemberCluster], caplog: pytest.LogCaptureFixture
) -> None:
    heard = list[str]()

    def failing(_: MemberCluster) -> None:
        raise LookupError("a bug")

    cache.on_change(failing)
    cache.on_change(lambda cluster: heard.append(cluster.name))
    cache.put(body("a", 1))
    assert heard == ["a"]
    assert "a listener failed" in caplog.text


def test_objects_of_one_name_in_two_namespaces_are_two() -> None:
    pods = Cache(Pod)
    for namespace in ("b", "a"):
        pods.put({"metadata": {"name": "x", "namespace": namespace, "resourceVersion": "1"}})
    assert pods.keys() == (Key("a", "x"), Key("b", "x"))
    assert [pod.key for pod in pods.all("b")] == [Key("b", "x")]


class Bare(msgspec.Struct):
    """A kind as a gateway reads it: without pydantic."""

    API: ClassVar = "v1"
    NAMESPACED: ClassVar = True
    metadata: ObjectMeta

    @classmethod
    def kind(cls) -> str:
        return "Pod"

    @classmethod
    def plural(cls) -> str:
        return "pods"


def test_a_struct_reads_as_well_as_a_model() -> None:
    cache = Cache(Bare)
    cache.put({"metadata": {"name": "x", "namespace": "a"}, "spec": {}})
    assert cache.resource == ApiResource.of(Pod)
    assert [pod.metadata.name for pod in cache.all()] == ["x"]


CONFIGMAPS = ApiResource("v1", "ConfigMap", "configmaps", namespaced=True)


def test_metadata_alone_changes_with_every_version() -> None:
    cache, heard = Cache(partial(CONFIGMAPS)), list[Key]()
    cache.on_change(lambda seen: heard.append(seen.key))
    for version in ("1", "2"):
        cache.put({"metadata": {"name": "x", "namespace": "a", "resourceVersion": version}})
    assert heard == [Key("a", "x")] * 2


def test_a_whole_manifest_changes_when_its_contents_do() -> None:
    cache, heard = Cache(whole(CONFIGMAPS)), list[str]()
    cache.on_change(lambda seen: heard.append(seen["data"]["a"]))
    for version, value in (("1", "x"), ("2", "x"), ("3", "y")):
        cache.put({"metadata": {"name": "m", "resourceVersion": version}, "data": {"a": value}})
    assert heard == ["x", "y"]


EVENTS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(1, 9), st.sampled_from(["eu", "us"])), max_size=12
)


@given(EVENTS)
def test_in_whatever_order_news_come_the_newest_is_kept(events: list[tuple[str, int, str]]) -> None:
    cache = Cache(MemberCluster, indices={"region": region})
    newest = dict[str, tuple[int, str]]()
    for name, version, where in events:
        cache.put(body(name, version, region=where))
        if version > newest.get(name, (0, ""))[0]:
            newest[name] = (version, where)
    for where in ("eu", "us"):
        expected = sorted(name for name, (_, there) in newest.items() if there == where)
        assert names(cache, where) == expected


def test_a_listener_may_ask_for_a_part_alone(cache: Cache[MemberCluster]) -> None:
    heard = list[str]()
    cache.on_change(lambda cluster: heard.append(cluster.region), part=lambda c: c.region)
    for version, region in ((1, "eu"), (2, "eu"), (3, "us")):
        cache.put(body("a", version, status={"region": region, "namespaces": {str(version): ""}}))
    assert heard == ["eu", "us"]
