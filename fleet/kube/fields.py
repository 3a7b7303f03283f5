"""Whether the server's CRDs have a field: an older one would drop it without a word."""

import logging
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, Protocol

from fleet.api.objects import Resource
from fleet.kube.lacks import Lack
from fleet.kube.resources import ApiResource
from fleet.kube.serve import INSTALL
from fleet.runtime import clock

KEPT_SECONDS: Final = 1.0
"""For which an answer is believed: CRDs are changed while programs run."""
log = logging.getLogger(__name__)


class Field(NamedTuple):
    model: type[Resource]
    path: str
    """With dots."""
    holds_list: bool = False

    @property
    def lack(self) -> Lack:
        return Lack(ApiResource.of(self.model).crd, self.path)


class Asks(Protocol):
    async def knows(self, field: Field) -> bool:
        """Ask whether a kind has a field."""
        ...


class Fields:
    def __init__(self, client: Asks, elapsed: Callable[[], float] = clock.elapsed) -> None:
        self._client, self._elapsed = client, elapsed
        self._answers: dict[Field, tuple[float, bool]] = {}
        self._named: set[Lack] = set()

    async def lacks(self, fields: Iterable[Field]) -> list[Lack]:
        """Find those that are not there, and name each once while it is not."""
        found = [field.lack for field in fields if not await self._known(field)]
        for lack in found:
            if lack not in self._named:
                why = f"{lack.crd} has no field {lack.field}"
                log.warning("a CRD is an older one", extra={"why": why, "way_out": INSTALL})
        self._named = set(found)
        return found

    async def _known(self, field: Field) -> bool:
        now = self._elapsed()
        until, known = self._answers.get(field, (now, False))
        if now >= until:
            known = await self._client.knows(field)
            self._answers[field] = now + KEPT_SECONDS, known
        return known
