"""Wait until the server serves the kinds that a program needs."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Protocol

from fleet.kube.cache import Cache
from fleet.kube.errors import KubeError, NotFoundError, NotServedError
from fleet.kube.resources import ApiResource

POLL_SECONDS = 0.25
RETRY_SECONDS = 1.0
log = logging.getLogger(__name__)


class Asks(Protocol):
    async def served(self, resource: ApiResource, namespace: str = "") -> None:
        """Raise NotFoundError where the server does not know a kind."""


async def await_served(
    client: Asks, caches: Iterable[Cache[Any]], *, deadline_seconds: float
) -> None:
    """Return when all kinds are served; NotServedError names those that do not come.

    A server that is away is waited for as long as it takes: only its own no counts.
    """
    missing = {(cache.resource, cache.namespace) for cache in caches if not cache.optional}
    deadline = None
    why = ""
    while missing:
        try:
            missing = {asked for asked in missing if not await _served(client, *asked)}
            why = ""
        except KubeError as error:
            if str(error) != why:
                log.warning("the API server does not answer", extra={"why": str(error)})
            why, deadline = str(error), None
            await asyncio.sleep(RETRY_SECONDS)
            continue
        now = asyncio.get_running_loop().time()
        deadline = deadline or now + deadline_seconds
        if missing and now >= deadline:
            raise NotServedError(_say(resource for resource, _ in missing))
        if missing:
            await asyncio.sleep(POLL_SECONDS)


async def _served(client: Asks, resource: ApiResource, namespace: str) -> bool:
    try:
        await client.served(resource, namespace)
    except NotFoundError:
        return False
    return True


def _say(missing: Iterable[ApiResource]) -> str:
    names = ", ".join(sorted(resource.crd for resource in missing))
    return f"not served: {names}; install the CRDs: kubectl apply --server-side -f crds/"
