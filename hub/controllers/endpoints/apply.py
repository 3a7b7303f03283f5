"""Carry out a plan, and return the endpoints that are there now, each with its share."""

from collections.abc import Iterable
from contextlib import suppress

from fleet.api.service import ModelEndpoint
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


async def apply(
    actions: Iterable[Action], client: Client
) -> tuple[tuple[ModelEndpoint, Share], ...]:
    live = []
    for action in actions:
        match action:
            case ApplyService(service):
                await client.apply(service)
            case ServeAt(endpoint, share, written):
                live.append((endpoint if written else await client.apply(endpoint), share))
            case DeleteEndpoint(derived) | DeleteService(derived):
                with suppress(NotFoundError):
                    await client.delete(derived)
    return tuple(live)
