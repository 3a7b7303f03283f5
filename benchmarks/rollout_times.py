"""What the times of a rollout say: the members' own part, and the gaps between clusters. Pure."""

import heapq
from collections.abc import Iterator, Sequence

from benchmarks.members import Span

Stage = Sequence[Span]


def slots(clusters: int, percent: int) -> int:
    """Give how many of a stage's clusters may change at once: rounded down, but one at least."""
    return max(1, clusters * percent // 100)


def own(stages: Sequence[Stage], percent: int) -> float:
    """Give the seconds that the members alone would take, in the order in which they began."""
    return sum(_makespan(_in_order(stage), slots(len(stage), percent)) for stage in stages)


def gaps(stages: Sequence[Stage], percent: int) -> Iterator[float]:
    """Give for each cluster the seconds from when it might have begun until it did.

    It might begin when so many of its stage were ready that a slot was free, and in a new stage
    when all of the one before were.
    """
    before: float | None = None
    for stage in filter(None, stages):
        free, ready = slots(len(stage), percent), sorted(span.ended for span in stage)
        for place, span in enumerate(_in_order(stage)):
            might = before if place < free else ready[place - free]
            if might is not None:
                yield span.began - might
        before = ready[-1]


def _in_order(stage: Stage) -> list[Span]:
    return sorted(stage, key=lambda span: span.began)


def _makespan(stage: Stage, slots: int) -> float:
    busy = [0.0] * min(slots, len(stage))
    for span in stage:
        heapq.heapreplace(busy, busy[0] + span.ended - span.began)
    return max(busy, default=0.0)
