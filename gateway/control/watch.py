"""Where routes come from: the hub's services and endpoints, a member's pods, or a file."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fleet.api import names
from fleet.api.addresses import exposed
from fleet.kube.cache import Cache
from fleet.kube.watcher import Watcher
from gateway.control.build import fleet_routes, pod_routes
from gateway.control.kinds import MemberCluster, ModelEndpoint, ModelService, Pod
from gateway.snapshot import Snapshot

Publish = Callable[[Snapshot], None]
GATHER_SECONDS = 0.02
"""Changes come in swarms: those of so long make one snapshot."""
FILE_SECONDS = 1.0
log = logging.getLogger(__name__)


class Kubernetes:
    """Follows caches, and makes a snapshot of what they hold whenever that changes."""

    def __init__(self, watcher: Watcher, caches: Sequence[Cache[Any]]) -> None:
        self._watcher = watcher
        self._caches = caches
        self._changed = asyncio.Event()
        for cache in caches:
            cache.on_change(lambda _: self._changed.set())

    async def run(self, build: Callable[[], Snapshot], publish: Publish) -> None:
        async with asyncio.TaskGroup() as group:
            for cache in self._caches:
                group.create_task(self._watcher.follow(cache))
            group.create_task(self._publish(build, publish))

    async def _publish(self, build: Callable[[], Snapshot], publish: Publish) -> None:
        for cache in self._caches:
            await cache.filled.wait()
        while True:
            self._changed.clear()
            publish(build())
            await self._changed.wait()
            await asyncio.sleep(GATHER_SECONDS)


class Refusals:
    """Says once of each member that its gateway is not sent anything, and why."""

    def __init__(self) -> None:
        self._told: frozenset[str] = frozenset()

    def tell(self, gateways: Mapping[str, str]) -> None:
        refused = frozenset(name for name, url in gateways.items() if exposed(url))
        for name in sorted(refused - self._told):
            why = "its gateway's address is plain HTTP; it needs TLS to get the fleet's credential"
            log.warning("a member is not routed to", extra={"member": name, "why": why})
        self._told = refused


def follow_fleet(watcher: Watcher, publish: Publish) -> Awaitable[None]:
    """Watch the hub, for the global gateway."""
    services, endpoints = Cache(ModelService), Cache(ModelEndpoint)
    members = Cache(MemberCluster)
    refusals = Refusals()

    def build() -> Snapshot:
        urls = {m.metadata.name: m.status.gateway.url for m in members.all() if m.status.gateway}
        refusals.tell(urls)
        return fleet_routes(services.all(), endpoints.all(), urls)

    return Kubernetes(watcher, (services, endpoints, members)).run(build, publish)


def follow_pods(watcher: Watcher, publish: Publish, region: str) -> Awaitable[None]:
    """Watch a member's inference pods, for its regional gateway."""
    pods = Cache(Pod, label_selector=names.SERVICE)
    return Kubernetes(watcher, (pods,)).run(lambda: pod_routes(pods.all(), region), publish)


async def follow_file(
    path: Path, load: Callable[[Path], Snapshot | None], publish: Publish
) -> None:
    """Read a file again when it changes; a wrong one leaves the last good one in place."""
    stamp = None
    while True:
        new = _stamp(path)
        if new != stamp:
            stamp, snapshot = new, load(path)
            if snapshot:
                publish(snapshot)
        await asyncio.sleep(FILE_SECONDS)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino
