"""Keys waiting for a reconcile: each at most once, and never twice at the same time."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Literal

from fleet.api.keys import Key
from fleet.kube.errors import (
    ConflictError,
    ForbiddenError,
    KubeError,
    LeaseLostError,
    NotFoundError,
    NotPermittedError,
    TransientError,
    reason,
)
from fleet.kube.lacks import Lack, Lacking, noting
from fleet.runtime.logs import about
from fleet.runtime.metrics import reconciled

SOONEST_SECONDS = 0.05
"""Until a key that was done is looked at again: what it waits for is to happen in between."""
LONGEST_WAIT_SECONDS = 300.0
"""Between tries of what fails by itself."""
LONGEST_OUTAGE_WAIT_SECONDS = 15.0
"""Between tries of what failed for a server that was away or did not believe us: it comes back,
or gets us another token, without telling us."""
LACKING_SECONDS = 20.0
"""Until fields that a CRD lacks are written again: nobody tells when a newer one is installed."""
log = logging.getLogger(__name__)


class WorkQueue:
    """A key added while it is worked on is worked on once more afterwards."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._dirty: set[Key] = set()
        self._active: set[Key] = set()
        self._failures: Counter[Key] = Counter()
        self._lacking = Lacking()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._ready: asyncio.Queue[Key] = asyncio.Queue()

    def __len__(self) -> int:
        """Count the keys that wait for a worker."""
        return self._ready.qsize()

    def add(self, key: Key) -> None:
        if key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._active:
            self._ready.put_nowait(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Add a key later; of several times for one key the earliest counts."""
        if seconds <= 0:
            self.add(key)
            return
        loop = asyncio.get_running_loop()
        when, waiting = loop.time() + seconds, self._timers.get(key)
        if waiting is not None:
            if waiting.when() <= when:
                return
            waiting.cancel()
        self._timers[key] = loop.call_at(when, self._ring, key)

    async def get(self) -> Key:
        key = await self._ready.get()
        self._dirty.discard(key)
        self._active.add(key)
        return key

    def done(self, key: Key) -> None:
        self._active.discard(key)
        if key in self._dirty:
            self._ready.put_nowait(key)

    def forget(self, key: Key) -> None:
        """Let the next failure of a key be its first again."""
        del self._failures[key]

    def retry(self, key: Key, *, after: float = 0.0, longest: float = LONGEST_WAIT_SECONDS) -> None:
        """Add a key that failed once more, each time later, and not before `after` seconds."""
        delay = min(backoff(self._failures[key]), longest) * (1 - self._chance() / 2)
        self._failures[key] += 1
        self.add_after(key, max(delay, after))

    def lacks(self, key: Key, lacks: set[Lack]) -> None:
        """Add a key once more that asks whether all can be written now, and all others if so."""
        for other in self._lacking.note(key, lacks):
            self.add(other)
        if lacks and self._lacking.asks(key):
            self.add_after(key, LACKING_SECONDS * (1 - self._chance() / 2))

    def hurry(self) -> None:
        """Try at once what waits after a failure: the server that was away answers again."""
        waiting = [key for key in self._failures if key in self._timers]
        self._failures.clear()
        for key in waiting:
            self._timers.pop(key).cancel()
            self.add(key)

    def _ring(self, key: Key) -> None:
        del self._timers[key]
        self.add(key)


def backoff(failures: int) -> float:
    """Seconds: 5 ms, doubling up to 300 s."""
    return min(0.005 * 2.0 ** min(failures, 16), LONGEST_WAIT_SECONDS)


async def work(
    queue: WorkQueue, reconcile: Callable[[Key], Awaitable[float | None]], *, name: str = ""
) -> None:
    """Reconcile key after key, and count how often and for how long."""
    time = asyncio.get_running_loop().time
    while True:
        key = await queue.get()
        start = time()
        try:
            with about(controller=name, key=str(key)):
                outcome = await _try(queue, reconcile, key, name)
            reconciled(name, outcome, time() - start)
        finally:
            queue.done(key)
        # A reconcile that reads caches alone never waits, and nor does a queue that is not empty.
        await asyncio.sleep(0)


async def _try(
    queue: WorkQueue, reconcile: Callable[[Key], Awaitable[float | None]], key: Key, name: str
) -> Literal["done", "again", "failed"]:
    """Reconcile a key; the one place that logs what went wrong."""
    try:
        with noting() as lacks:
            again = await reconcile(key)
    except (ConflictError, NotFoundError, TransientError) as error:
        log.info("reconciling again", extra=_fields(name, key) | {"why": str(error)})
        queue.retry(key, after=getattr(error, "retry_after", 0.0), longest=_longest(error))
        return "again"
    except LeaseLostError:
        raise
    except KubeError as error:
        log.warning("reconcile failed", extra=_fields(name, key) | reason(error))
        queue.retry(key, longest=_longest(error))
        return "failed"
    except Exception:
        log.exception("reconcile failed", extra=_fields(name, key))
        queue.retry(key)
        return "failed"
    queue.forget(key)
    queue.lacks(key, lacks)
    if again is not None:
        queue.add_after(key, max(again, SOONEST_SECONDS))
    return "done"


def _longest(error: KubeError) -> float:
    outage = isinstance(error, TransientError | ForbiddenError)
    passing = outage and not isinstance(error, NotPermittedError)
    return LONGEST_OUTAGE_WAIT_SECONDS if passing else LONGEST_WAIT_SECONDS


def _fields(name: str, key: Key) -> dict[str, str]:
    return {"controller": name, "key": str(key)}
