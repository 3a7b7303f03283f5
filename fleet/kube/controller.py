"""What a program runs: something that reconciles keys, and says what wakes it."""

from typing import Protocol

from fleet.api.keys import Key
from fleet.kube.queue import WorkQueue


class Controller(Protocol):
    """One duty. Where it has `reads`, it waits for those caches to be filled, else for all."""

    @property
    def name(self) -> str: ...

    async def reconcile(self, key: Key) -> float | None:
        """Make one object what it should be; the seconds after which it is to be looked at."""

    def wake(self, queue: WorkQueue) -> None:
        """Subscribe to caches: a listener adds a key, and does nothing else."""
