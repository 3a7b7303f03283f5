"""Tell on the hub, by an Event about the member, for whom the agent stands aside."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from fleet.api.cluster import InternalMemberCluster
from fleet.api.happenings import Happening
from fleet.api.objects import Key
from fleet.kube.cache import Cache
from fleet.kube.events import Tell

REASON = "StandsAside"


class Other(Protocol):
    @property
    def found(self) -> str:
        """Say who is there; nothing where nobody is."""

    def on_change(self, listener: Callable[[], None]) -> None: ...


@dataclass(frozen=True, slots=True)
class Standing:
    others: tuple[Other, ...]
    membership: Cache[InternalMemberCluster]
    key: Key
    """Of the member's own place on the hub."""
    tell: Tell

    async def run(self) -> None:
        """Tell it at once and at every change, for ever."""
        changed = asyncio.Event()
        for other in self.others:
            other.on_change(changed.set)
        while True:
            about = self.membership.get(self.key)
            found = [other.found for other in self.others if other.found]
            if about is not None:
                self.tell(about, [Happening(REASON, each, warning=True) for each in found])
            await changed.wait()
            changed.clear()
