"""Tell the deletion of an object from that of its whole kind, which nobody decided for it."""

import math
from collections.abc import Callable
from typing import Final, Protocol

from fleet.api.ending import Ending
from fleet.api.keys import Key
from fleet.api.objects import Resource
from fleet.kube.resources import ApiResource
from fleet.runtime import clock

SETTLE_SECONDS: Final = 1.0
"""From the deletion that we see to the answer that we believe: a server that takes a kind away may
say so a moment later."""
RETURN_SECONDS: Final = 60.0
"""Until an object that vanished without our consent, as with its kind, is taken for deleted:
whoever made it makes it again when the kind is back."""
LOOK_SECONDS: Final = 1.0
"""Until what is not known yet is looked at again."""
FORGET_SECONDS: Final = 600.0


class Asks(Protocol):
    async def removing(self, kind: ApiResource) -> bool:
        """Ask whether the server takes a kind away, with all that there is of it."""
        ...


class Removals:
    def __init__(
        self,
        client: Asks,
        *,
        settle_seconds: float = SETTLE_SECONDS,
        return_seconds: float = RETURN_SECONDS,
        elapsed: Callable[[], float] = clock.elapsed,
    ) -> None:
        self._client, self._elapsed = client, elapsed
        self._settle, self._return = settle_seconds, return_seconds
        self._since: dict[str, float] = {}
        self._removed: dict[tuple[str, str], float] = {}

    async def of(self, deleted: Resource) -> Ending:
        """Judge an object that is being deleted."""
        if await self._client.removing(ApiResource.of(deleted)):
            return Ending.WITH_KIND
        return self._after(self._settle, deleted.metadata.uid)

    async def of_all(self, kind: ApiResource, what: str) -> Ending:
        """Judge that objects of a kind, which never wait for us, are there no more."""
        name = kind.api_version, kind.kind
        if await self._client.removing(kind):
            self.missing(*name)
        if self._elapsed() < self._removed.get(name, -math.inf) + self._return:
            return Ending.WITH_KIND
        return self._after(self._settle, what)

    def missing(self, api_version: str, kind: str) -> None:
        """Take note that a kind is not there."""
        self._removed[(api_version, kind)] = self._elapsed()

    def gone(self, key: Key) -> Ending:
        """Judge an object that should have waited for us, and did not."""
        return self._after(self._return, str(key))

    def there(self, key: Key) -> None:
        """Take note that an object is there: should it vanish, that begins anew."""
        self._since.pop(str(key), None)

    def _after(self, seconds: float, what: str) -> Ending:
        now = self._elapsed()
        if what not in self._since:
            recent = {k: at for k, at in self._since.items() if now - at < FORGET_SECONDS}
            self._since = {**recent, what: now}
        return Ending.OWN if now - self._since[what] >= seconds else Ending.UNKNOWN
