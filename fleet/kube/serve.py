"""Wait until the server serves the kinds that a program needs."""

import asyncio
import logging
from collections.abc import Collection, Iterable
from typing import Any, Protocol

from fleet.kube.cache import Cache
from fleet.kube.errors import (
    ForbiddenError,
    KubeError,
    NotFoundError,
    NotPermittedError,
    reason,
)
from fleet.kube.resources import ApiResource

POLL_SECONDS = 0.5
RETRY_SECONDS = 1.0
INSTALL = "install the CRDs: kubectl apply --server-side -f crds/"
log = logging.getLogger(__name__)
Asked = tuple[ApiResource, str]


class Asks(Protocol):
    async def served(self, resource: ApiResource, namespace: str = "") -> None:
        """Raise NotFoundError where the server does not know a kind."""


async def await_served(client: Asks, caches: Iterable[Cache[Any]]) -> None:
    """Return when all kinds are served, however long that takes.

    Those that do not come are named once, and so is what else goes wrong.
    """
    needed = [cache for cache in caches if not cache.optional]
    missing = {(cache.resource, cache.namespace) for cache in needed}
    told, named = frozenset[str](), ""
    while missing:
        missing, troubles = await _ask(client, missing)
        for error in troubles:
            if str(error) not in told:
                log.warning(_title(error), extra=reason(error))
        told = frozenset(map(str, troubles))
        if not troubles:
            named = _name(missing, named)
            _note(needed, missing)
        if missing:
            await asyncio.sleep(RETRY_SECONDS if troubles else POLL_SECONDS)


def _note(caches: Iterable[Cache[Any]], missing: Collection[Asked]) -> None:
    """Let who asks whether we are ready hear which kinds are missing."""
    for cache in caches:
        if (cache.resource, cache.namespace) in missing:
            cache.miss()


async def _ask(client: Asks, missing: set[Asked]) -> tuple[set[Asked], list[KubeError]]:
    """Give the kinds that are still missing, and why we do not know of some.

    A right that is missing concerns one kind; what else goes wrong concerns all.
    """
    unserved, troubles = set[Asked](), list[KubeError]()
    for asked in sorted(missing):
        try:
            await client.served(*asked)
        except NotFoundError:
            unserved.add(asked)
        except NotPermittedError as error:
            unserved.add(asked)
            troubles.append(error)
        except KubeError as error:
            return missing, [error]
    return unserved, troubles


def _name(missing: Iterable[Asked], named: str) -> str:
    """Say which kinds are missing when that is news; they are looked for again in a moment."""
    names = _names(resource for resource, _ in missing)
    if names and names != named:
        log.warning("kinds are missing", extra={"why": f"not served: {names}", "way_out": INSTALL})
    return names


def _title(error: KubeError) -> str:
    match error:
        case NotPermittedError():
            return "a right is missing"
        case ForbiddenError():
            return "the API server does not believe us"
        case _:
            return "the API server does not answer"


def _names(missing: Iterable[ApiResource]) -> str:
    return ", ".join(sorted({resource.crd for resource in missing}))
