"""Which update runs are under way on a placement: asked at each change of one of its bindings."""

from collections import defaultdict
from collections.abc import Iterable

from fleet.api.objects import Key
from fleet.api.staged_update import UpdateRun
from fleet.kube.cache import Cache
from hub.update_runs import finished, placement_of


class ActiveRuns:
    """The runs of one scope that have not come to their end, by their placement."""

    def __init__(self, runs: Cache[UpdateRun]) -> None:
        self._runs = runs
        self._placement: dict[Key, Key] = {}
        self._of: defaultdict[Key, set[Key]] = defaultdict(set)
        runs.on_change(self._seen)

    def of(self, placement: Key) -> tuple[UpdateRun, ...]:
        return self._read(self._of.get(placement, ()))

    def all(self) -> tuple[UpdateRun, ...]:
        return self._read(self._placement)

    def _read(self, keys: Iterable[Key]) -> tuple[UpdateRun, ...]:
        return tuple(run for key in sorted(keys) if (run := self._runs.get(key)))

    def _seen(self, run: UpdateRun) -> None:
        self._forget(run.key)
        if self._runs.get(run.key) is not None and not finished(run):
            placement = self._placement[run.key] = placement_of(run)
            self._of[placement].add(run.key)

    def _forget(self, run: Key) -> None:
        placement = self._placement.pop(run, None)
        if placement is not None:
            self._of[placement].discard(run)
            if not self._of[placement]:
                del self._of[placement]
