"""Fields that a reconcile could not write, since a CRD of the server is an older one."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from fleet.api.keys import Key


class Lack(NamedTuple):
    crd: str
    field: str


_met: ContextVar[set[Lack]] = ContextVar("met")


@contextmanager
def noting() -> Iterator[set[Lack]]:
    """Give what is met within, in tasks that begin there too."""
    met = set[Lack]()
    token = _met.set(met)
    try:
        yield met
    finally:
        _met.reset(token)


def meet(lack: Lack) -> None:
    _met.get(set()).add(lack)


class Lacking:
    """Keys of which not all could be written; the first that met a lack asks for all the others."""

    def __init__(self) -> None:
        self._keys: dict[Lack, dict[Key, None]] = {}

    def note(self, key: Key, lacks: set[Lack]) -> set[Key]:
        """Take note of what a key met, and give those for whom something is over by that."""
        over = [lack for lack, keys in self._keys.items() if key in keys and lack not in lacks]
        freed = {other for lack in over for other in self._keys.pop(lack)}
        for lack in lacks:
            self._keys.setdefault(lack, {})[key] = None
        return freed - {key}

    def asks(self, key: Key) -> bool:
        return any(next(iter(keys)) == key for keys in self._keys.values())
