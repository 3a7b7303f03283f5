"""What the server serves: one group and version at a time, or all of it, asked once and kept."""

import asyncio
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from fleet.kube import wire
from fleet.kube.errors import NotFoundError, NotServedError
from fleet.kube.resources import ApiResource
from fleet.kube.transport import Request, Transport

AGAIN_SECONDS = 2.0
"""A kind that is not there is not asked for more often than this, however many objects want it."""


WHOLE_SECONDS = 10.0
"""The list of all kinds is asked for anew after this: CRDs come and go."""
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class ResponseKind(Struct):
    kind: str = ""


class Offer(Struct):
    resource: str
    response_kind: ResponseKind = msgspec.field(default_factory=ResponseKind, name="responseKind")
    scope: str = ""
    verbs: list[str] = []


class VersionOffer(Struct):
    version: str
    resources: list[Offer] = []


class GroupOffer(Struct):
    metadata: wire.ObjectMeta
    versions: list[VersionOffer] = []


class Offers(Struct):
    items: list[GroupOffer] = []


class Served(Struct):
    name: str
    kind: str
    namespaced: bool = False


class ServedList(Struct):
    resources: list[Served] = []


class Discovery:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._known: dict[tuple[str, str], ApiResource] = {}
        self._asked: dict[str, float] = {}
        self._asking: dict[str, asyncio.Lock] = {}
        self._all: tuple[ApiResource, ...] = ()
        self._all_asked = -WHOLE_SECONDS

    async def resource_for(self, api_version: str, kind: str) -> ApiResource:
        """Find the plural and the scope of a kind; NotServedError where there is no such kind."""
        if (api_version, kind) not in self._known:
            async with self._asking.setdefault(api_version, asyncio.Lock()):
                await self._ask(api_version, kind)
        found = self._known.get((api_version, kind))
        if found is None:
            raise NotServedError(f"{api_version} {kind} is not served here")
        return found

    async def served(self) -> tuple[ApiResource, ...]:
        """Give every kind that can be listed and watched, in its group's preferred version."""
        now = asyncio.get_running_loop().time()
        if now - self._all_asked >= WHOLE_SECONDS:
            requests = [Request("GET", root, {}, accept=AGGREGATED) for root in ("/api", "/apis")]
            answers = await asyncio.gather(*map(self._transport.send, requests))
            self._all = tuple(kind for answer in answers for kind in _kinds(_offers(answer)))
            self._all_asked = now
        return self._all

    def forget(self, resource: ApiResource) -> None:
        """Ask again next time: the kind is served no more, or in another way."""
        self._known.pop((resource.api_version, resource.kind), None)

    async def _ask(self, api_version: str, kind: str) -> None:
        now = asyncio.get_running_loop().time()
        if (api_version, kind) in self._known:
            return
        if now - self._asked.get(api_version, -AGAIN_SECONDS) < AGAIN_SECONDS:
            return
        root = "/apis" if "/" in api_version else "/api"
        try:
            answer = await self._transport.send(Request("GET", f"{root}/{api_version}", {}))
        except NotFoundError:
            answer = b"{}"
        self._asked[api_version] = now
        for served in _served(answer).resources:
            if "/" not in served.name:
                found = ApiResource(api_version, served.kind, served.name, served.namespaced)
                self._known[(api_version, served.kind)] = found


_served = wire.decoder(ServedList)
_offers = wire.decoder(Offers)


def _kinds(offers: Offers) -> Iterator[ApiResource]:
    for group in offers.items:
        for version in group.versions[:1]:
            name = group.metadata.name
            api_version = f"{name}/{version.version}" if name else version.version
            for offer in version.resources:
                if {"list", "watch"} <= set(offer.verbs):
                    namespaced = offer.scope == "Namespaced"
                    kind = offer.response_kind.kind
                    yield ApiResource(api_version, kind, offer.resource, namespaced)
