"""Asks a real API server what it says to an object, and keeps none."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from fleet.kube import wire
from fleet.kube.answers import MERGE_PATCH
from fleet.kube.dynamic import key_of
from fleet.kube.errors import ForbiddenError, RejectedError
from fleet.kube.transport import Request, Transport
from tests.integration.api.rows import TAKEN, Manifest, Row, resource

TRIED: Final = {"dryRun": "All"}
_QUOTED: Final = re.compile(r'Invalid value: ("[^"]*"|-?[0-9]+): ')
"""A value, or its type: which of them, and whether, is another in each version of the server."""


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
        except (RejectedError, ForbiddenError) as refused:
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
