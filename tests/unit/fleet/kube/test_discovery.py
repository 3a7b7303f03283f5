"""What a server serves is asked once, and again where there is reason to doubt it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from fleet.kube.discovery import Discovery
from fleet.kube.errors import NotServedError, TransientError
from fleet.kube.resources import ApiResource
from tests.unit.fleet.kube.stage import Stage, staged, status, transport

WIDGET = ApiResource("test.dev/v1", "Widget", "widgets", namespaced=True)


def served(name: str, kind: str, *, namespaced: bool = True) -> dict[str, Any]:
    return {"name": name, "kind": kind, "namespaced": namespaced}


class Server:
    """Serves the kinds that it is told to."""

    def __init__(self) -> None:
        self.kinds: dict[str, list[dict[str, Any]]] = {
            "/api/v1": [served("pods", "Pod"), served("nodes", "Node", namespaced=False)],
            "/apis/test.dev/v1": [served("widgets/status", "Widget"), served("widgets", "Widget")],
        }
        self.groups: dict[str, list[dict[str, Any]]] = {"/api": [], "/apis": []}
        self.away = False

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if self.away:
            return status(503)
        if request.path in self.groups:
            return web.json_response({"items": self.groups[request.path]})
        kinds = self.kinds.get(request.path)
        return status(404) if kinds is None else web.json_response({"resources": kinds})


@asynccontextmanager
async def discovering(server: Server) -> AsyncIterator[tuple[Discovery, Stage]]:
    async with staged(server.answer) as stage, transport(stage.url) as line:
        yield Discovery(line), stage


async def test_a_kind_is_asked_for_once_with_all_others_of_its_group() -> None:
    async with discovering(Server()) as (discovery, stage):
        assert await discovery.resource_for("test.dev/v1", "Widget") == WIDGET
        assert await discovery.resource_for("test.dev/v1", "Widget") == WIDGET
        node = await discovery.resource_for("v1", "Node")
        pod = await discovery.resource_for("v1", "Pod")
        assert (node.plural, node.namespaced, pod.namespaced) == ("nodes", False, True)
        assert stage.paths() == ["/apis/test.dev/v1", "/api/v1"]


@pytest.mark.parametrize("api_version", ["test.dev/v1", "test.dev/v9"])
async def test_a_kind_that_is_not_there_is_not_asked_for_by_every_object(api_version: str) -> None:
    async with discovering(Server()) as (discovery, stage):
        for _ in range(5):
            with pytest.raises(NotServedError, match=f"{api_version} Gadget is not served here"):
                await discovery.resource_for(api_version, "Gadget")
        assert len(stage.asked) == 1


async def test_a_group_without_kinds_is_no_failure() -> None:
    server = Server()
    server.kinds["/apis/test.dev/v1"] = []
    async with discovering(server) as (discovery, _):
        with pytest.raises(NotServedError):
            await discovery.resource_for("test.dev/v1", "Widget")


async def test_a_server_that_is_away_says_nothing_of_its_kinds() -> None:
    server = Server()
    async with discovering(server) as (discovery, _):
        server.away = True
        with pytest.raises(TransientError):
            await discovery.resource_for("test.dev/v1", "Widget")
        server.away = False
        assert await discovery.resource_for("test.dev/v1", "Widget") == WIDGET


async def test_a_kind_that_is_doubted_is_asked_for_again() -> None:
    server = Server()
    async with discovering(server) as (discovery, _):
        await discovery.resource_for("test.dev/v1", "Widget")
        server.kinds["/apis/test.dev/v1"] = [served("widgetry", "Widget", namespaced=False)]
        discovery.forget(WIDGET)
        found = await discovery.resource_for("test.dev/v1", "Widget")
        assert (found.plural, found.namespaced) == ("widgetry", False)


def discovered(plural: str, kind: str, *verbs: str, scope: str = "Namespaced") -> dict[str, Any]:
    verbs = verbs or ("get", "list", "watch")
    response = {"kind": kind}
    return {"resource": plural, "responseKind": response, "scope": scope, "verbs": list(verbs)}


async def test_every_kind_that_can_be_watched_is_found_in_its_preferred_version() -> None:
    server = Server()
    core = [discovered("pods", "Pod"), discovered("bindings", "Binding", "create")]
    server.groups["/api"] = [{"metadata": {}, "versions": [{"version": "v1", "resources": core}]}]
    server.groups["/apis"] = [
        {
            "metadata": {"name": "test.dev"},
            "versions": [
                {"version": "v2", "resources": [discovered("widgets", "Widget", scope="Cluster")]},
                {
                    "version": "v1",
                    "resources": [discovered("widgets", "Widget"), discovered("gadgets", "Gadget")],
                },
            ],
        }
    ]
    async with discovering(server) as (discovery, stage):
        found = await discovery.served()
        assert found == (
            ApiResource("v1", "Pod", "pods", namespaced=True),
            ApiResource("test.dev/v2", "Widget", "widgets", namespaced=False),
            ApiResource("test.dev/v1", "Gadget", "gadgets", namespaced=True),
        )
        assert await discovery.served() == found
        assert len(stage.asked) == 2
        server.groups["/apis"] = []
        discovery.forget(found[1])
        assert await discovery.served() == found[:1]


@pytest.mark.parametrize(
    ("verbs", "removing"),
    [(["create", "get", "watch"], False), (["get", "watch", "delete"], True), (None, True)],
    ids=["served", "going", "gone"],
)
async def test_a_kind_of_which_nothing_can_be_created_any_more_goes(
    verbs: list[str] | None, removing: bool
) -> None:
    server = Server()
    kinds = [] if verbs is None else [served("widgets", "Widget") | {"verbs": verbs}]
    server.kinds["/apis/test.dev/v1"] = kinds
    async with discovering(server) as (discovery, _):
        assert await discovery.removing(WIDGET) is removing


async def test_a_kind_that_we_may_not_ask_for_stays() -> None:
    async def refused(_: web.BaseRequest) -> web.StreamResponse:
        return status(403, message='User "agent" cannot get path "/apis/test.dev/v1"')

    async with staged(refused) as stage, transport(stage.url) as line:
        assert not await Discovery(line).removing(WIDGET)
