"""A snapshot as a worker uses it: services by every name, with the state of their endpoints."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.load import Load
from gateway.policy.alike import Names
from gateway.policy.endpoint import Ejection, EndpointState
from gateway.policy.narrow import Tiers, plain, tiers
from gateway.snapshot import Endpoint, Service, Snapshot

NONE: Final[Mapping[str, Load]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Route:
    service: Service
    all: tuple[EndpointState, ...]
    label: str
    """What metrics call it: the model's first name, of which there are as many as services."""
    tiers: Tiers
    plain: bool
    """Whether all endpoints come into question alike."""
    adapters: Mapping[str, str]
    """Of names that clients send, what engines call the adapter."""
    looks: bool
    """Whether it takes a look at each request to tell where it may go."""

    @property
    def states(self) -> tuple[EndpointState, ...]:
        """Those that requests come to which no rule sends elsewhere."""
        return self.all if self.plain else tuple(state for state in self.all if state.weight)


class Routes:
    """Swapped as a whole; an endpoint that stays keeps its state."""

    def __init__(self, ejection: Ejection, workers: int = 1, region: str = "") -> None:
        self._workers = workers
        self._region = region
        """Whose endpoints are preferred, if any are."""
        self.known = False
        """Whether there was a snapshot yet."""
        self.by_model: dict[str, Route] = {}
        self.by_service: dict[str, Route] = {}
        self.states: dict[str, EndpointState] = {}
        """By the endpoint's name."""
        self._names: Names | None = None
        self._ejection = ejection

    def swap(self, snapshot: Snapshot, now: float) -> None:
        old, self.states = self.states, {}
        routes = [self._route(service, old, now) for service in snapshot.services]
        self.by_service = {route.service.name: route for route in routes}
        self.by_model = {name: route for route in routes for name in route.service.models}
        self.known, self._names = True, None

    def like(self, model: str) -> tuple[str, ...]:
        """Name the listed models that are written most like this."""
        if self._names is None:
            services = (route.service for route in self.by_service.values())
            self._names = Names(name for each in services for name in each.models[: each.listed])
        return self._names.nearest(model)

    def probed(
        self, found: Mapping[str, bool], started: float, loads: Mapping[str, Load] = NONE
    ) -> list[EndpointState]:
        """Take in a round of probes; gives the endpoints that went down."""
        lost = []
        for name, up in found.items():
            if state := self.states.get(name):
                if state.up is not False and not up:
                    lost.append(state)
                state.probed(up=up, started=started)
                state.told(loads.get(name))
        return lost

    def _route(self, service: Service, old: dict[str, EndpointState], now: float) -> Route:
        states = tuple(self._state(endpoint, old, now) for endpoint in service.endpoints)
        self.states.update((state.endpoint.name, state) for state in states)
        label = next(iter(service.models), service.name)
        ranked = tiers([state for state in states if state.weight], self._region)
        hedged = service.hedge is not None
        told = service.rules or service.affinity or service.shadow or service.adapters
        looks = bool(told) or hedged or service.continues
        return Route(
            service, states, label, ranked, plain(states, ranked), dict(service.adapters), looks
        )

    def _state(
        self, endpoint: Endpoint, old: dict[str, EndpointState], now: float
    ) -> EndpointState:
        state = old.get(endpoint.name)
        if state is None or state.endpoint.url != endpoint.url:
            state = EndpointState(endpoint, self._ejection, self._workers)
            state.starts(now)
            return state
        state.becomes(endpoint, now, self._workers)
        return state
