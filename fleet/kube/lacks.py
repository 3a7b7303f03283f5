"""Fields that a reconcile could not write, since a CRD of the server is an older one."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


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
