"""Read a ModelService with what serves it, and with whoever claims its names."""

from collections.abc import Callable
from typing import NamedTuple

from fleet.api.keys import Key
from fleet.api.service import ModelEndpoint, ModelService
from fleet.engine.naming import claimed, full
from fleet.kube.cache import Cache
from hub.controllers.services.plan import Observed


class Reads(NamedTuple):
    services: Cache[ModelService]
    endpoints: Cache[ModelEndpoint]


class Claims:
    """Which services claim each name, in any namespace."""

    def __init__(self, services: Cache[ModelService]) -> None:
        self._services = services
        self._names: dict[Key, frozenset[str]] = {}
        self._claimants: dict[str, set[Key]] = {}
        self._listeners: list[Callable[[Key], None]] = []
        services.on_change(self._seen, part=_claim)

    def on_change(self, listener: Callable[[Key], None]) -> None:
        """Hear of each service that a claim concerns, one that is made or one that is given up."""
        self._listeners.append(listener)

    def rivals(self, key: Key) -> tuple[ModelService, ...]:
        keys = self._claiming(self._names.get(key, frozenset())) - {key}
        found = (self._services.get(rival) for rival in sorted(keys))
        return tuple(service for service in found if service)

    def _seen(self, service: ModelService) -> None:
        there = self._services.get(service.key) is not None
        old = self._names.pop(service.key, frozenset())
        new = _names(service) if there else frozenset()
        self._move(service.key, old, new)
        for key in self._claiming(old | new):
            for listener in self._listeners:
                listener(key)

    def _move(self, key: Key, old: frozenset[str], new: frozenset[str]) -> None:
        for name in old - new:
            claimants = self._claimants[name]
            claimants.discard(key)
            if not claimants:
                del self._claimants[name]
        for name in new - old:
            self._claimants.setdefault(name, set()).add(key)
        if new:
            self._names[key] = new

    def _claiming(self, names: frozenset[str]) -> set[Key]:
        return {key for name in names for key in self._claimants.get(name, ())}


def _claim(service: ModelService) -> object:
    """What decides who has a name: neither its status nor its labels."""
    return service.spec, service.metadata.creation_timestamp, service.deleting


def _names(service: ModelService) -> frozenset[str]:
    """Give all that it may be reached by; a model may be called like another's full name."""
    names = claimed(service)
    return frozenset((*names, *(full(service.namespace, name) for name in names)))


def observe(reads: Reads, claims: Claims, key: Key) -> Observed:
    endpoints = reads.endpoints.all(key.namespace)
    return Observed(
        service=reads.services.get(key),
        endpoints=tuple(e for e in endpoints if e.spec.service == key.name and not e.deleting),
        rivals=claims.rivals(key),
    )
