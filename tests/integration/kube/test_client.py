"""What the real server answers, and what we make of it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import psutil
import pytest

from fleet.api.conditions import Condition, ConditionStatus
from fleet.api.core import ConfigMap, Namespace, ServiceAccount
from fleet.api.keys import Key
from fleet.api.objects import Metadata
from fleet.kube.cache import Cache
from fleet.kube.client import ApiClient, swap
from fleet.kube.errors import (
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    NotServedError,
    RejectedError,
    TransientError,
)
from fleet.testing.apiserver import NOBODY, ApiServer
from fleet.testing.relay import relay
from fleet.testing.waiting import until
from tests.integration.kube.widgets import (
    Widget,
    WidgetStatus,
    crd,
    install,
    new_namespace,
    widget,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOLD = "test.modelfleet.dev/hold"


def condition(kind: str) -> Condition:
    return Condition(
        type=kind, status=ConditionStatus.TRUE, reason="Test", last_transition_time=NOON
    )


async def test_an_object_is_made_once_read_and_deleted(client: ApiClient, namespace: str) -> None:
    key = Key(namespace, "a")
    assert await client.get(Widget, key) is None
    made = await client.create(widget(key, size=1))
    assert await client.get(Widget, key) == made
    with pytest.raises(AlreadyExistsError):
        await client.create(widget(key, size=2))
    await client.delete(made)
    assert await client.get(Widget, key) is None
    with pytest.raises(NotFoundError):
        await client.delete(made)


async def test_a_list_of_more_than_a_page_is_whole(client: ApiClient, namespace: str) -> None:
    keys = [Key(namespace, f"w{number:04}") for number in range(520)]
    limit = asyncio.Semaphore(50)

    async def make(key: Key) -> None:
        async with limit:
            await client.create(widget(key))

    await asyncio.gather(*map(make, keys))
    listing = await client.list(Widget, namespace)
    assert [found.key for found in listing.objects()] == keys
    assert listing.version > 0


async def test_a_kind_that_is_not_served_is_said_to_be_so(client: ApiClient) -> None:
    with pytest.raises(NotServedError, match=r"test\.modelfleet\.dev/v9 Gadget"):
        await client.dynamic.resource_for("test.modelfleet.dev/v9", "Gadget")


async def test_two_managers_keep_out_of_each_others_fields(
    client: ApiClient, namespace: str
) -> None:
    key, other = Key(namespace, "a"), client.as_manager("other")
    await client.apply(widget(key, size=1))
    await other.apply(widget(key, colour="red"))
    with pytest.raises(ConflictError):
        await other.apply(widget(key, colour="red", size=2))
    forced = await other.apply(widget(key, colour="red", size=2), force=True)
    assert (forced.spec.size, forced.spec.colour) == (2, "red")


async def test_a_field_that_an_apply_leaves_out_is_given_up(
    client: ApiClient, namespace: str
) -> None:
    key = Key(namespace, "a")
    await client.apply(widget(key, size=1, colour="red"))
    assert (await client.apply(widget(key, size=1))).spec.colour is None


async def test_an_apply_with_a_uid_does_not_bring_back_what_was_deleted(
    client: ApiClient, namespace: str
) -> None:
    seen = await client.apply(widget(Key(namespace, "a"), size=1))
    await client.delete(seen)
    with pytest.raises(ConflictError):
        await client.apply(seen)
    assert await client.get(Widget, seen.key) is None


async def test_what_is_meant_for_an_object_does_not_reach_its_namesake(
    client: ApiClient, namespace: str
) -> None:
    seen = await client.apply(widget(Key(namespace, "a"), size=1))
    await client.delete(seen)
    await client.create(widget(seen.key, size=5))
    with pytest.raises(ConflictError):
        await client.apply(seen)
    with pytest.raises(ConflictError):
        await client.json_patch(seen, swap("/spec/size", 5, 6))
    with pytest.raises(ConflictError):
        await client.delete(seen)
    kept = await client.get(Widget, seen.key)
    assert kept is not None
    assert kept.spec.size == 5
    with pytest.raises(ConflictError):
        await client.patch_status(seen, WidgetStatus(note="not its own"))


async def test_patches_to_what_is_gone_find_nothing(client: ApiClient, namespace: str) -> None:
    seen = await client.apply(widget(Key(namespace, "a"), size=1))
    await client.delete(seen)
    with pytest.raises(NotFoundError):
        await client.json_patch(seen, swap("/spec/size", 1, 2))
    with pytest.raises((NotFoundError, ConflictError)):
        await client.patch_status(seen, WidgetStatus(note="late"))


async def test_a_swap_fails_where_another_was_faster(client: ApiClient, namespace: str) -> None:
    seen = await client.apply(widget(Key(namespace, "a"), size=1))
    assert (await client.json_patch(seen, swap("/spec/size", 1, 2))).spec.size == 2
    with pytest.raises(ConflictError):
        await client.json_patch(seen, swap("/spec/size", 1, 3))


async def test_a_swap_tells_absence_from_presence(client: ApiClient, namespace: str) -> None:
    seen = await client.apply(widget(Key(namespace, "a"), size=1))
    assert (await client.json_patch(seen, swap("/spec/colour", None, "red"))).spec.colour == "red"
    with pytest.raises(ConflictError):
        await client.json_patch(seen, swap("/spec/colour", None, "blue"))
    assert (await client.json_patch(seen, swap("/spec/colour", "red", None))).spec.colour is None


async def test_a_wrong_object_is_rejected_with_the_servers_words(
    client: ApiClient, namespace: str
) -> None:
    with pytest.raises(RejectedError, match=r"spec\.size"):
        await client.apply(widget(Key(namespace, "a"), size=10))
    seen = await client.create(widget(Key(namespace, "a"), size=1))
    with pytest.raises(RejectedError, match=r"spec\.size"):
        await client.json_patch(seen, swap("/spec/size", 1, 10))
    with pytest.raises(RejectedError, match="not_a_name"):
        await client.create(widget(Key(namespace, "not_a_name")))


async def test_reporters_keep_their_own_conditions(client: ApiClient, namespace: str) -> None:
    seen = await client.create(widget(Key(namespace, "a")))
    other = client.as_manager("other")
    await client.patch_status(seen, WidgetStatus(conditions=(condition("Ready"),), note="x"))
    both = await other.patch_status(seen, WidgetStatus(conditions=(condition("Audited"),)))
    assert {kept.type for kept in both.status.conditions} == {"Ready", "Audited"}
    left = await client.patch_status(seen, WidgetStatus(conditions=()))
    assert ([kept.type for kept in left.status.conditions], left.status.note) == (["Audited"], None)


async def test_a_finalizer_holds_an_object_until_a_patch_takes_it_away(
    client: ApiClient, namespace: str
) -> None:
    seen = await client.create(widget(Key(namespace, "a"), size=1))
    ours = Metadata(name="a", namespace=namespace, uid=seen.metadata.uid, finalizers=(HOLD,))
    held = await client.as_manager("holder").apply(Widget(metadata=ours))
    assert (held.metadata.finalizers, held.spec.size) == ((HOLD,), 1)
    await client.delete(held)
    dying = await client.get(Widget, seen.key)
    assert dying is not None
    assert dying.deleting
    released = swap("/metadata/finalizers", [HOLD], None)
    await client.json_patch(dying, released)
    assert await client.get(Widget, seen.key) is None


async def test_a_namespace_on_its_way_out_is_to_be_awaited(client: ApiClient) -> None:
    name = await new_namespace(client)
    namespace = await client.get(Namespace, Key("", name))
    assert namespace is not None
    await client.delete(namespace)
    refused = ConfigMap(metadata=Metadata(name="late", namespace=name))
    with pytest.raises(ConflictError, match="being terminated"):
        await client.create(refused)
    with pytest.raises(NotFoundError):
        await client.create(ConfigMap(metadata=Metadata(name="a", namespace="nowhere")))


async def test_who_may_not_is_forbidden(server: ApiServer, namespace: str) -> None:
    stranger, nobody = (ApiClient(server.connection(token), "test") for token in ("x", NOBODY))
    with pytest.raises(ForbiddenError, match=r"Unauthorized: it does not believe Token\(...\)"):
        await stranger.list(Widget, namespace)
    with pytest.raises(ForbiddenError, match="nobody"):
        await nobody.list(Widget, namespace)
    for each in (stranger, nobody):
        await each.close()


async def test_a_server_that_is_not_there_is_a_passing_failure(server: ApiServer) -> None:
    connection = server.connection()
    absent = ApiClient(type(connection)(server="http://127.0.0.1:9"), "test")
    with pytest.raises(TransientError, match=r"127\.0\.0\.1:9"):
        await absent.list(ConfigMap)
    await absent.close()


async def test_a_token_is_signed_for_an_account(client: ApiClient, namespace: str) -> None:
    account = ServiceAccount(metadata=Metadata(name="agent", namespace=namespace))
    await client.create(account)
    token = await client.request_token(account.key, 600)
    assert token.count(".") == 2


async def test_manifests_go_the_same_ways_as_models(client: ApiClient, namespace: str) -> None:
    dynamic = client.dynamic
    resource = await dynamic.resource_for("v1", "ConfigMap")
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "m", "namespace": namespace, "labels": {"a": "b"}},
        "data": {"x": "1"},
    }
    made = await dynamic.apply(manifest)
    key = Key(namespace, "m")
    assert (await dynamic.merge_patch(resource, key, {"data": {"x": "2"}}))["data"] == {"x": "2"}
    assert [body["kind"] for body in await dynamic.list(resource, namespace, "a=b")] == [
        "ConfigMap"
    ]
    assert await dynamic.list(resource, namespace, "a=c") == []
    patched = await dynamic.json_patch(resource, key, swap("/data/x", "2", "3"))
    assert patched["data"] == {"x": "3"}
    with pytest.raises(ConflictError):
        await dynamic.delete(resource, key, uid="another")
    await dynamic.delete(resource, key, uid=made["metadata"]["uid"])
    assert await dynamic.get(resource, key) is None


async def test_a_kind_made_later_is_found(client: ApiClient, namespace: str) -> None:
    group = f"{namespace}.modelfleet.dev"
    with pytest.raises(NotServedError):
        await client.dynamic.resource_for(f"{group}/v1", "Widget")
    await install(client, crd(group))

    async def found() -> bool:
        try:
            return bool(await client.dynamic.resource_for(f"{group}/v1", "Widget"))
        except NotServedError:
            return False

    await until(found)


async def test_a_watch_that_is_left_is_no_open_connection_though_the_server_is_silent(
    server: ApiServer, namespace: str
) -> None:
    async with relay(server.port) as line:
        far = replace(server.connection(), server=f"https://127.0.0.1:{line.port}")
        client = ApiClient(far, "test")
        cache = Cache(Widget, namespace=namespace)
        watching = asyncio.create_task(client.follow(cache))
        await until(cache.filled.is_set)
        await client.create(widget(Key(namespace, "watched"), size=1))
        await until(lambda: cache.get(Key(namespace, "watched")))
        line.freeze()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await client.close()
        assert _connections(line.port) == 0


def _connections(port: int) -> int:
    """Count this process's sockets to a port that are not closed."""
    found = psutil.Process().net_connections("tcp4")
    return sum(each.raddr[1:] == (port,) for each in found)
