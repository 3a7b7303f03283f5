"""How soon a status is written: what will be old in a moment waits, and so does what is large."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from fleet.api.objects import Key, Model

LARGE_BYTES = 32_768
LARGE_SECONDS = 1.0
UNSETTLED_SECONDS = 0.1
"""While a placement moves from stage to stage, each new status would be old when it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPace:
    monotonic: Callable[[], float]
    _unsettled: dict[Key, float] = field(default_factory=dict)
    _large: dict[Key, float] = field(default_factory=dict)

    def wait(self, key: Key, status: Model | None, *, settled: bool) -> float:
        """Give the seconds to wait; at 0 it is taken as written."""
        if status is None:
            self._unsettled.pop(key, None)
            return 0.0
        now = self.monotonic()
        due = now if settled else self._unsettled.setdefault(key, now) + UNSETTLED_SECONDS
        large = len(json.dumps(status.dump())) > LARGE_BYTES
        if large:
            due = max(due, self._large.get(key, now - LARGE_SECONDS) + LARGE_SECONDS)
        if due > now:
            return due - now
        self._unsettled.pop(key, None)
        if large:
            self._large[key] = now
        return 0.0

    def rest(self, key: Key) -> float:
        """Give the seconds until a large status may be written again; 0 where none was lately.

        What is not to be written need not be made.
        """
        wrote = self._large.get(key)
        return 0.0 if wrote is None else max(0.0, wrote + LARGE_SECONDS - self.monotonic())

    def forget(self, key: Key) -> None:
        self._unsettled.pop(key, None)
        self._large.pop(key, None)
