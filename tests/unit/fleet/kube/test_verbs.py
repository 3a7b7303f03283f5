"""What is sent to the server for each verb, and what is kept out of it."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from fleet.api.keys import Key
from fleet.kube.errors import ExpiredError, NotServedError
from fleet.kube.resources import ApiResource
from fleet.kube.verbs import NOBODY, Deletion, Selection, Verbs, ours
from tests.unit.fleet.kube.stage import Answer, Stage, always, staged, status, transport

WIDGETS = ApiResource("test.dev/v1", "Widget", "widgets", namespaced=True)
NODES = ApiResource("v1", "Node", "nodes", namespaced=False)
KEY = Key("demo", "a")
METADATA = {
    "name": "a",
    "namespace": "demo",
    "uid": "1",
    "labels": {"x": "y"},
    "resourceVersion": "5",
    "generation": 2,
    "creationTimestamp": "2026-01-01T12:00:00Z",
    "deletionTimestamp": "2026-01-01T12:00:00Z",
    "managedFields": [],
}
WIDGET = {"apiVersion": "test.dev/v1", "kind": "Widget", "metadata": METADATA, "status": {}}


@asynccontextmanager
async def speaking(*answers: Answer) -> AsyncIterator[tuple[Verbs, Stage]]:
    answers = answers or (always(lambda: web.Response(body=b"{}")),)
    async with staged(*answers) as stage, transport(stage.url) as line:
        yield Verbs(line, "hub"), stage


async def asked(stage: Stage) -> tuple[str, str, Any]:
    request = stage.asked[-1]
    text = await request.text()
    return request.method, request.path_qs, json.loads(text) if text else None


@pytest.mark.parametrize(
    ("resource", "address", "path"),
    [
        (WIDGETS, ("demo", "a", "status"), "/apis/test.dev/v1/namespaces/demo/widgets/a/status"),
        (WIDGETS, ("", "", ""), "/apis/test.dev/v1/widgets"),
        (NODES, ("demo", "a", ""), "/api/v1/nodes/a"),
    ],
)
def test_a_kind_has_its_path(
    resource: ApiResource, address: tuple[str, str, str], path: str
) -> None:
    assert resource.path(*address) == path


def test_what_the_server_keeps_its_books_with_is_not_sent() -> None:
    metadata = {"name": "a", "namespace": "demo", "uid": "1", "labels": {"x": "y"}}
    assert ours(WIDGET) == WIDGET | {"metadata": metadata}
    assert WIDGET["metadata"] == METADATA


async def test_an_apply_carries_the_uid_and_no_status_and_a_create_neither() -> None:
    async with speaking() as (verbs, stage):
        await verbs.apply(WIDGETS, WIDGET, force=True)
        method, path, body = await asked(stage)
        assert (method, path.partition("?")[0]) == (
            "PATCH",
            "/apis/test.dev/v1/namespaces/demo/widgets/a",
        )
        assert dict(stage.asked[-1].query) == {"fieldManager": "hub", "force": "true"}
        assert (body["metadata"]["uid"], "status" in body) == ("1", False)
        await verbs.create(WIDGETS, WIDGET)
        method, path, body = await asked(stage)
        assert (method, path) == (
            "POST",
            "/apis/test.dev/v1/namespaces/demo/widgets?fieldManager=hub",
        )
        assert body["metadata"] == {"name": "a", "namespace": "demo", "labels": {"x": "y"}}


async def test_a_status_is_applied_for_itself() -> None:
    async with speaking() as (verbs, stage):
        await verbs.apply(WIDGETS, WIDGET, force=False, subresource="status")
        _, path, body = await asked(stage)
        assert path.partition("?")[0].endswith("/widgets/a/status")
        assert (stage.asked[-1].query["force"], body["status"]) == ("false", {})


async def test_a_json_patch_is_guarded_by_the_uid() -> None:
    change = {"op": "add", "path": "/spec/size", "value": 1}
    async with speaking() as (verbs, stage):
        await verbs.json_patch(WIDGETS, KEY, [change], uid="1")
        _, _, body = await asked(stage)
        assert body == [{"op": "test", "path": "/metadata/uid", "value": "1"}, change]
        await verbs.json_patch(WIDGETS, KEY, [change])
        _, _, body = await asked(stage)
        assert body == [change]
        assert stage.said("Content-Type") == ["application/json-patch+json"] * 2


@pytest.mark.parametrize(
    ("how", "options"),
    [
        (Deletion(), {"propagationPolicy": "Background"}),
        (
            Deletion("1", "Foreground", 0),
            {
                "propagationPolicy": "Foreground",
                "preconditions": {"uid": "1"},
                "gracePeriodSeconds": 0,
            },
        ),
    ],
)
async def test_a_deletion_is_of_that_very_object(how: Deletion, options: dict[str, Any]) -> None:
    async with speaking() as (verbs, stage):
        await verbs.delete(WIDGETS, KEY, how)
        _, _, body = await asked(stage)
        assert body == {"apiVersion": "v1", "kind": "DeleteOptions", **options}


async def test_what_is_not_there_is_none() -> None:
    async with speaking(always(lambda: status(404))) as (verbs, _):
        assert await verbs.get(WIDGETS, KEY) is None


def page(*names: str, version: int, more: str = "") -> Answer:
    items = [{"metadata": {"name": name}} for name in names]
    metadata = {"resourceVersion": str(version), "continue": more}
    return always(lambda: web.json_response({"items": items, "metadata": metadata}))


def named(items: list[bytes]) -> list[str]:
    return [json.loads(item)["metadata"]["name"] for item in items]


async def test_a_list_is_collected_page_by_page_as_of_the_first() -> None:
    pages = page("a", version=5, more="next"), page("b", version=5)
    async with speaking(*pages) as (verbs, stage):
        items, version = await verbs.collect(WIDGETS, Selection("demo", "x=y"), limit=1)
        assert (named(items), version) == (["a", "b"], 5)
        assert [dict(request.query) for request in stage.asked] == [
            {"labelSelector": "x=y", "limit": "1"},
            {"labelSelector": "x=y", "limit": "1", "continue": "next"},
        ]


async def test_a_list_that_expires_between_its_pages_is_asked_for_in_one() -> None:
    expired = always(lambda: status(410))
    answers = page("a", version=5, more="next"), expired, page("a", "b", version=9)
    async with speaking(*answers) as (verbs, stage):
        items, version = await verbs.collect(WIDGETS, Selection())
        assert (named(items), version) == (["a", "b"], 9)
        assert "limit" not in stage.asked[-1].query
    async with speaking(expired) as (verbs, _):
        with pytest.raises(ExpiredError):
            await verbs.collect(WIDGETS, Selection())


async def test_only_metadata_is_asked_for_where_no_more_is_read() -> None:
    async with speaking(page(version=5)) as (verbs, stage):
        items, _ = await verbs.collect(WIDGETS, Selection("demo", metadata_only=True))
        assert not items
        assert stage.said("Accept")[0].startswith("application/json;as=PartialObjectMetadataList")
        async with verbs.watch(WIDGETS, Selection("", "x=y"), 5, seconds=60) as lines:
            assert [line async for line in lines] == []
        assert dict(stage.asked[-1].query) == {
            "labelSelector": "x=y",
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": "5",
            "timeoutSeconds": "60",
        }


UNFOUND = always(lambda: status(404, reason="NotFound"))
AHEAD = always(lambda: status(504, message="Too large resource version: 7, current: 5"))
UNPERMITTED = always(lambda: status(403, message='User "hub" cannot get resource "widgets"'))


@pytest.mark.parametrize(
    ("answers", "reached"),
    [
        ((UNFOUND,), True),
        ((AHEAD,), False),
        ((UNPERMITTED, page(version=7)), True),
        ((UNPERMITTED, page(version=5)), False),
    ],
)
async def test_whether_a_history_has_come_so_far_is_asked_of_any_name(
    answers: tuple[Answer, ...], reached: bool
) -> None:
    async with speaking(*answers) as (verbs, stage):
        assert await verbs.reached(WIDGETS, Selection("demo"), 7) is reached
        path = f"/apis/test.dev/v1/namespaces/demo/widgets/{NOBODY}?resourceVersion=7"
        assert stage.paths()[0] == path


async def test_of_a_kind_that_is_not_served_no_history_is_known() -> None:
    async with speaking(always(lambda: web.Response(status=404))) as (verbs, _):
        with pytest.raises(NotServedError):
            await verbs.reached(WIDGETS, Selection(), 7)


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        (lambda: web.Response(body=b"{}"), True),
        (lambda: status(400, message='strict decoding error: unknown field "spec.size"'), False),
        (lambda: status(422, message="spec.size: Invalid value"), True),
        (lambda: status(403, message='User "hub" cannot create resource "widgets"'), True),
        (lambda: status(404, reason="NotFound"), True),
    ],
    ids=["made", "unknown", "invalid", "not permitted", "no namespace"],
)
async def test_whether_a_field_is_known_is_asked_by_what_is_made_in_thought_only(
    answer: Callable[[], web.Response], known: bool
) -> None:
    async with speaking(always(answer)) as (verbs, stage):
        assert await verbs.knows(WIDGETS, "spec.size", []) is known
        verb, path, body = await asked(stage)
        assert (verb, path.partition("?")[0]) == (
            "POST",
            "/apis/test.dev/v1/namespaces/default/widgets",
        )
        assert "dryRun=All" in path
        assert "fieldValidation=Strict" in path
        assert (body["kind"], body["spec"]) == ("Widget", {"size": []})


async def test_what_is_of_use_as_a_whole_only_is_refused_where_a_field_is_not_known() -> None:
    async with speaking() as (verbs, stage):
        for whole in (True, False):
            await verbs.create(WIDGETS, WIDGET, whole=whole)
            assert ("fieldValidation=Strict" in stage.asked[-1].path_qs) is whole
