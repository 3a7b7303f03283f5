"""Asks a real API server what it says to an object, and keeps none."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from typing_extensions import override

from fleet.api.crd.kinds import KINDS
from fleet.kube import wire
from fleet.kube.answers import MERGE_PATCH
from fleet.kube.dynamic import key_of
from fleet.kube.errors import RejectedError
from fleet.kube.resources import ApiResource
from fleet.kube.transport import Request, Transport
from tests.integration.api.manifests import Manifest

TAKEN: Final = ""
TRIED: Final = {"dryRun": "All"}
_PLURALS: Final = {(kind.model.group(), kind.model.kind()): kind.model for kind in KINDS}
_QUOTED: Final = re.compile(r'Invalid value: ("[^"]*"|-?[0-9]+): ')
"""A value, or its type: which of them, and whether, is another in each version of the server."""


@dataclass(frozen=True, slots=True)
class Row:
    """An object, or a change of one, and what the server says to it."""

    what: str
    manifest: Manifest
    said: str = TAKEN
    """Words of its refusal; TAKEN where it takes the object."""
    change: Mapping[str, Any] | None = None
    """A merge patch: the object itself is taken, and the server speaks of this."""
    subresource: str = ""

    @override
    def __str__(self) -> str:
        version = self.manifest["apiVersion"].rpartition("/")[2]
        return f"{self.manifest['kind']} {version}: {self.what}"


class Judge:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def said(self, row: Row) -> str:
        """Return the server's refusal without the values that it quotes, or TAKEN."""
        try:
            if row.change is None:
                await self.made(row.manifest, TRIED)
            else:
                await self._changed(row, row.change)
        except RejectedError as refused:
            return _QUOTED.sub("Invalid value: ", str(refused))
        return TAKEN

    async def made(self, manifest: Manifest, params: Mapping[str, str]) -> Manifest:
        place = resource(manifest).path(manifest["metadata"].get("namespace", ""))
        return await self._asked(Request("POST", place, params, wire.encode(manifest)))

    async def _changed(self, row: Row, change: Mapping[str, Any]) -> None:
        await self.made(row.manifest, {})
        kind, (space, name) = resource(row.manifest), key_of(row.manifest)
        path, body = kind.path(space, name, row.subresource), wire.encode(change)
        try:
            await self._asked(Request("PATCH", path, TRIED, body, MERGE_PATCH))
        finally:
            await self._asked(Request("DELETE", kind.path(space, name), {}))

    async def _asked(self, request: Request) -> Manifest:
        answer: Manifest = json.loads(await self._transport.send(request))
        return answer


def resource(manifest: Manifest) -> ApiResource:
    api, kind = manifest["apiVersion"], manifest["kind"]
    model = _PLURALS[api.rpartition("/")[0], kind]
    return ApiResource(api, kind, model.plural(), model.NAMESPACED)
