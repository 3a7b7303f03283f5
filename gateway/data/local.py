"""What a worker answers by itself: models, health and load."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from gateway.data.lines import Lines
from gateway.link import Topic
from gateway.load import Load, together
from gateway.policy import answers
from gateway.policy.answers import Answer
from gateway.policy.endpoint import EndpointState
from gateway.routes import Route, Routes

OPEN: Final = frozenset({b"/healthz", b"/readyz"})
"""Asked by whoever keeps the process alive, without a key."""
MODELS: Final = b"/v1/models"
READING: Final = frozenset({"GET", "HEAD"})
TEXT: Final = b"text/plain; version=0.0.4; charset=utf-8"
GATHERED: Final = {
    b"/metrics": (Topic.METRICS, TEXT),
    b"/-/status": (Topic.STATUS, b"application/json"),
}
"""Pages that tell of all workers, each with its type."""


class RegionLoad(msgspec.Struct):
    """What a regional gateway answers to `GET /-/load`: the global one's probe."""

    region: str
    cluster: str
    services: dict[str, Load]


@dataclass(frozen=True, slots=True)
class Local:
    """The gateway's own pages."""

    routes: Routes
    lines: Lines
    now: float
    draining: bool
    region: str
    cluster: str

    def answer(self, method: str, path: bytes) -> Answer:
        if method not in READING:
            return answers.not_found(method, path.decode("latin-1"))
        if page := PAGES.get(path):
            return page(self)
        if path.startswith(MODELS + b"/"):
            return self.model(unquote(path[len(MODELS) + 1 :].decode("latin-1")))
        return answers.not_found(method, path.decode("latin-1"))

    def alive(self) -> Answer:
        return Answer(200, b"ok\n", content_type=b"text/plain")

    def ready(self) -> Answer:
        if self.routes.known and not self.draining:
            return self.alive()
        return answers.STARTING

    def models(self) -> Answer:
        if not self.routes.known:
            return answers.STARTING
        routes = self.routes.by_service.values()
        names = {name: route for route in routes for name in _listed(route)}
        data = [_model(name, names[name]) for name in sorted(names)]
        return answers.as_json({"object": "list", "data": data})

    def model(self, name: str) -> Answer:
        if not self.routes.known:
            return answers.STARTING
        route = self.routes.by_model.get(name)
        return answers.as_json(_model(name, route)) if route else answers.unknown_model(name)

    def load(self) -> Answer:
        services = {
            name: _load(route, self.now, self.lines.waiting(name))
            for name, route in self.routes.by_service.items()
        }
        return answers.as_json(RegionLoad(self.region, self.cluster, services))


def _listed(route: Route) -> tuple[str, ...]:
    return route.service.models[: route.service.listed]


def _model(name: str, route: Route) -> Mapping[str, Any]:
    created = route.service.created
    return {"id": name, "object": "model", "created": created, "owned_by": "modelfleet"}


def _load(route: Route, now: float, waiting: int) -> Load:
    """Sum up what the engines say; of one that says nothing we know what we sent it."""
    all_ = together([_work(state) for state in route.all if state.usable(now)])
    return Load(all_.ready, all_.in_flight + waiting, all_.waiting + waiting, all_.kv_use)


def _work(state: EndpointState) -> Load:
    told = state.work or Load()
    # What we sent a moment ago an engine may not have counted yet.
    return Load(1, max(told.in_flight, state.in_flight), told.waiting, told.kv_use)


PAGES: Final[Mapping[bytes, Callable[[Local], Answer]]] = {
    b"/healthz": Local.alive,
    b"/readyz": Local.ready,
    b"/-/load": Local.load,
    MODELS: Local.models,
}
