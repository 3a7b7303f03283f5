"""Gathers what workers have counted, and keeps what those counted that are gone."""

import asyncio
from collections.abc import Callable, Hashable

from gateway.link import Count, Topic
from gateway.metrics import Counts, Report
from gateway.pages import PAGES

PATIENCE_SECONDS = 1.0
"""For a worker that is busy; what it said last stands for it."""


class Census:
    """One round at a time: whoever asks meanwhile hears the next."""

    def __init__(
        self, tell: Callable[[Count], None], *, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._tell, self._patience = tell, patience
        self._reports: dict[Hashable, Report] = {}
        self._past = Counts()
        self._missing: set[Hashable] = set()
        self._complete = asyncio.Event()
        self._turn = asyncio.Lock()
        self._round = 0

    @property
    def workers(self) -> int:
        return len(self._reports)

    async def page(self, topic: Topic = Topic.METRICS) -> bytes:
        """Ask all workers, and give the sum as a page."""
        async with self._turn:
            self._round += 1
            self._missing = set(self._reports)
            self._complete.clear()
            self._tell(Count(self._round))
            self._check()
            try:
                async with asyncio.timeout(self._patience):
                    await self._complete.wait()
            except TimeoutError:
                pass
            return PAGES[topic](self._past, tuple(self._reports.values()))

    def joined(self, worker: Hashable) -> None:
        self._reports[worker] = Report(Counts(), {})

    def counted(self, worker: Hashable, round_: int, report: Report) -> None:
        """Take in what a worker says, in this round or on its own."""
        if worker in self._reports:
            self._reports[worker] = report
        if round_ == self._round:
            self._missing.discard(worker)
            self._check()

    def left(self, worker: Hashable) -> None:
        """Keep a worker's counts: a sum that falls looks like a start from nothing."""
        if report := self._reports.pop(worker, None):
            self._past.add(report.counts)
        self._missing.discard(worker)
        self._check()

    def _check(self) -> None:
        if not self._missing:
            self._complete.set()
