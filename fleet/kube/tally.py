"""What the objects of a cache say of themselves, kept change by change: no count reads them all."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar

from fleet.api.keys import Key
from fleet.kube.cache import Cache


class Keyed(Protocol):
    @property
    def key(self) -> Key: ...


R = TypeVar("R", bound=Keyed)
V = TypeVar("V")


class Tally(Generic[R, V]):
    """Each object's value, and how many have which."""

    def __init__(self, cache: Cache[R], value_of: Callable[[R], V]) -> None:
        self._cache, self._value_of = cache, value_of
        self._values: dict[Key, V] = {}
        self._counts: Counter[V] = Counter()
        cache.on_change(self._seen, part=value_of)

    @property
    def values(self) -> Mapping[Key, V]:
        return self._values

    @property
    def counts(self) -> Mapping[V, int]:
        """A value that nobody has any more stays, with 0: a series that ends is no news."""
        return self._counts

    def _seen(self, resource: R) -> None:
        key = resource.key
        if key in self._values:
            self._counts[self._values.pop(key)] -= 1
        if self._cache.get(key) is not None:
            self._values[key] = value = self._value_of(resource)
            self._counts[value] += 1
