"""What the server serves: asked for one group and version at a time, or for all, and kept."""

import asyncio
from collections.abc import Iterator

from msgspec import Struct

from fleet.kube import wire
from fleet.kube.errors import NotFoundError, NotPermittedError, NotServedError
from fleet.kube.resources import ApiResource
from fleet.kube.transport import Request, Transport

AGAIN_SECONDS = 2.0
"""A kind that is not there is not asked for more often than this, however many objects want it."""
ALL_SECONDS = 30.0
"""For which the list of all kinds is believed, where no missing kind has cast doubt on it."""
ALL = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class Served(Struct):
    name: str
    kind: str
    namespaced: bool = False
    verbs: list[str] = []


class ServedList(Struct):
    resources: list[Served] | None = None


class Kind(Struct):
    kind: str = ""


class Discovered(Struct, rename="camel"):
    resource: str
    response_kind: Kind
    scope: str = "Cluster"
    verbs: list[str] = []


class DiscoveredVersion(Struct):
    version: str
    resources: list[Discovered] = []


class Named(Struct):
    name: str = ""


class DiscoveredGroup(Struct):
    metadata: Named
    versions: list[DiscoveredVersion] = []
    """The preferred one first."""


class DiscoveredGroups(Struct):
    items: list[DiscoveredGroup] = []


class Discovery:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._known: dict[tuple[str, str], ApiResource] = {}
        self._missed: dict[tuple[str, str], float] = {}
        self._all: tuple[ApiResource, ...] = ()
        self._all_until = 0.0
        self._asking = asyncio.Lock()

    async def resource_for(self, api_version: str, kind: str) -> ApiResource:
        """Find the plural and the scope of a kind; NotServedError where there is no such kind."""
        if (api_version, kind) not in self._known:
            async with self._asking:
                await self._find(api_version, kind)
        found = self._known.get((api_version, kind))
        if found is None:
            raise NotServedError(f"{api_version} {kind} is not served here")
        return found

    async def served(self) -> tuple[ApiResource, ...]:
        """Give all kinds that can be listed and watched, each in the version the server prefers."""
        async with self._asking:
            now = asyncio.get_running_loop().time()
            if now >= self._all_until:
                core, others = [await self._ask_all(root) for root in ("/api", "/apis")]
                self._all = (*core, *others)
                self._all_until = now + ALL_SECONDS
        return self._all

    def forget(self, resource: ApiResource) -> None:
        """Ask again next time: the kind may be served no more, or in another way."""
        self._known.pop((resource.api_version, resource.kind), None)
        self._all_until = 0.0

    async def removing(self, resource: ApiResource) -> bool:
        """Ask whether a kind goes, with all there is of it: then nothing can be created any more.

        Where we may not ask, it stays.
        """
        try:
            served = await self._served(resource.api_version)
        except NotPermittedError:
            return False
        verbs = [each.verbs for each in served if each.name == resource.plural]
        return not any("create" in each for each in verbs)

    async def _find(self, api_version: str, kind: str) -> None:
        sought, now = (api_version, kind), asyncio.get_running_loop().time()
        missed = self._missed.get(sought, now - AGAIN_SECONDS)
        if sought in self._known or now < missed + AGAIN_SECONDS:
            return
        for found in await self._ask(api_version):
            self._known[(api_version, found.kind)] = found
        self._all_until = 0.0
        if sought in self._known:
            self._missed.pop(sought, None)
        else:
            self._missed[sought] = now

    async def _ask(self, api_version: str) -> list[ApiResource]:
        return [
            ApiResource(api_version, served.kind, served.name, served.namespaced)
            for served in await self._served(api_version)
            if "/" not in served.name
        ]

    async def _served(self, api_version: str) -> list[Served]:
        root = "/apis" if "/" in api_version else "/api"
        try:
            answer = await self._transport.send(Request("GET", f"{root}/{api_version}", {}))
        except NotFoundError:
            return []
        return _list(answer).resources or []

    async def _ask_all(self, root: str) -> list[ApiResource]:
        answer = await self._transport.send(Request("GET", root, {}, accept=ALL))
        return [found for group in _groups(answer).items for found in _watchable(group)]


def _watchable(group: DiscoveredGroup) -> Iterator[ApiResource]:
    """Find a group's kinds, each in the first version that has it."""
    seen = set[str]()
    for version in group.versions:
        api_version = "/".join(filter(None, (group.metadata.name, version.version)))
        for found in version.resources:
            if {"list", "watch"} <= set(found.verbs) and found.resource not in seen:
                seen.add(found.resource)
                kind, namespaced = found.response_kind.kind, found.scope == "Namespaced"
                yield ApiResource(api_version, kind, found.resource, namespaced)


_list = wire.decoder(ServedList)
_groups = wire.decoder(DiscoveredGroups)
