"""Read a ModelService with what serves it."""

from typing import NamedTuple

from fleet.api.keys import Key
from fleet.api.service import ModelEndpoint, ModelService
from fleet.kube.cache import Cache
from hub.controllers.services.plan import Observed

BY_NAME = "name"


class Reads(NamedTuple):
    services: Cache[ModelService]
    """With an index BY_NAME over all namespaces."""
    endpoints: Cache[ModelEndpoint]


def observe(reads: Reads, key: Key) -> Observed:
    endpoints = reads.endpoints.all(key.namespace)
    namesakes = reads.services.by(BY_NAME, key.name)
    return Observed(
        service=reads.services.get(key),
        endpoints=tuple(e for e in endpoints if e.spec.service == key.name and not e.deleting),
        namesakes=tuple(s for s in namesakes if s.namespace != key.namespace and not s.deleting),
    )
