"""Carry out a plan, and return the endpoints that are there now, each with its share."""

from collections.abc import Iterable
from contextlib import suppress
from typing import TypeVar

from fleet.api.service import ModelEndpoint, ModelService
from fleet.kube.client import Client
from fleet.kube.errors import NotFoundError
from hub.controllers.endpoints.plan import (
    Action,
    ApplyService,
    DeleteEndpoint,
    DeleteService,
    ServeAt,
)
from hub.workloads import Share

Derived = TypeVar("Derived", ModelService, ModelEndpoint)


async def apply(
    actions: Iterable[Action], client: Client
) -> tuple[tuple[ModelEndpoint, Share], ...]:
    live = []
    for action in actions:
        match action:
            case ApplyService(service):
                await _write(service, client)
            case ServeAt(endpoint, share, written):
                live.append((endpoint if written else await _write(endpoint, client), share))
            case DeleteEndpoint(derived) | DeleteService(derived):
                with suppress(NotFoundError):
                    await client.delete(derived)
    return tuple(live)


async def _write(derived: Derived, client: Client) -> Derived:
    """What was observed is ours, whoever changed it; what was not there may be another's by now."""
    return await client.apply(derived, force=bool(derived.metadata.uid))
