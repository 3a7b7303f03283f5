"""A kind as its lists and its watch left it: kept as JSON, parsed where somebody reads it."""

import asyncio
import logging
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from time import monotonic
from typing import Any, Generic, TypeVar

from msgspec import Struct

from fleet.api.keys import Key
from fleet.kube import wire
from fleet.kube.reader import Reader, Unreadable, reader, reason

R = TypeVar("R")
Address = tuple[str, str]
Index = Callable[[wire.ObjectMeta], Iterable[str]]
PARSED_LIMIT = 10_000
"""Parsed objects kept for the next reader; a thousand Workspaces of 3 KB take about 10 MB."""
log = logging.getLogger(__name__)


class Entry(Struct, gc=False):
    version: int
    body: bytes
    groups: tuple[tuple[str, str], ...]
    unreadable: bool = False


class Cache(Generic[R]):
    """Objects by key, and by what `indices` make of their metadata."""

    def __init__(
        self,
        model: type[R] | Reader[R],
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        indices: Mapping[str, Index] | None = None,
        optional: bool = False,
    ) -> None:
        """Hold one kind; an `optional` one is empty for as long as the server does not serve it."""
        self._reader = reader(model)
        self.resource = self._reader.resource
        self.namespace, self.optional = namespace, optional
        self.label_selector, self.field_selector = label_selector, field_selector
        self.metadata_only = self._reader.metadata_only
        self.version = 0
        self.filled = asyncio.Event()
        self.answered = asyncio.Event()
        """Set when the server has said what there is, or that we may not know."""
        self.refusal = ""
        self.unserved = False
        """Whether the server does not serve the kind just now; what is here is old, or nothing
        where the kind is optional."""
        self._indices = dict(indices or {})
        self._entries: dict[Address, Entry] = {}
        self._gone: dict[Address, int] = {}
        self._parsed: dict[Address, R] = {}
        self._groups: dict[str, dict[str, set[Address]]] = {name: {} for name in self._indices}
        self._listeners: list[tuple[Callable[[R], None], Callable[[R], object] | None]] = []
        self._loss_listeners: list[Callable[[], None]] = []
        self._gap_listeners: list[Callable[[], None]] = []
        self._alive_at = math.nan

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def synced(self) -> bool:
        """Whether the cache has held all objects once; an empty one looks like an empty fleet."""
        return self.filled.is_set()

    def fill(self) -> None:
        """Take what is here for all that there is."""
        self.refusal, self.unserved = "", False
        self.filled.set()
        self.answered.set()

    def miss(self) -> bool:
        """Note that the server does not serve the kind, and say whether that is news.

        What is here stays: only a list says what there is.
        """
        news, self.unserved = not self.unserved, True
        return news

    def refuse(self, why: str) -> None:
        """Remember that the server does not let us read the kind; what is here is old."""
        self.refusal = why
        self.answered.set()

    def get(self, key: Key) -> R | None:
        entry = self._entries.get(key)
        return None if entry is None else self._read(key, entry)

    def read(self, key: Key, body: bytes) -> R | None:
        """Give an object as it was read from just this body, if that is what is here."""
        entry = self._entries.get(key)
        return self._read(key, entry) if entry and entry.body is body else None

    def knows(self, key: Key, version: int) -> bool:
        """Say whether this or newer news of an object, or of its end, has been heard."""
        entry = self._entries.get(key)
        return version <= max(entry.version if entry else 0, self._gone.get(key, 0))

    def body(self, key: Key) -> bytes | None:
        """Give an object whole, as JSON; for what reads more of it than the model does."""
        entry = self._entries.get(key)
        return None if entry is None else entry.body

    def all(self, namespace: str | None = None) -> tuple[R, ...]:
        return self._read_all(
            key for key in self._entries if namespace is None or key[0] == namespace
        )

    def by(self, index: str, value: str) -> tuple[R, ...]:
        return self._read_all(self._groups[index].get(value, ()))

    def keys(self) -> tuple[Key, ...]:
        return tuple(Key(*address) for address in sorted(self._entries))

    def on_change(
        self, listener: Callable[[R], None], *, part: Callable[[R], object] | None = None
    ) -> None:
        """Hear of changes in what the model reads, or in the `part` that is asked for.

        The listener gets the new object, or the last known one when it was deleted.
        """
        self._listeners.append((listener, part))

    def on_loss(self, listener: Callable[[], None]) -> None:
        """Hear when the watch fails, at each failure: until the gap ends nothing is seen."""
        self._loss_listeners.append(listener)

    def lost(self) -> None:
        for listener in self._loss_listeners:
            listener()

    def on_gap(self, listener: Callable[[], None]) -> None:
        """Hear when the watch goes on after it was lost: for a while nothing was seen."""
        self._gap_listeners.append(listener)

    def gap(self) -> None:
        for listener in self._gap_listeners:
            listener()

    def alive(self) -> None:
        """Note that the server has just been heard of this kind: a list, an event, a bookmark."""
        self._alive_at = monotonic()

    def ages(self) -> Iterator[tuple[tuple[str, ...], float]]:
        """Give the seconds since then by kind, as a gauge asks for them."""
        yield (self.resource.kind,), monotonic() - self._alive_at

    def put(self, body: Mapping[str, Any] | bytes) -> None:
        """Take in an object; one that cannot be read leaves the last good one in place."""
        raw = wire.to_json(body)
        try:
            self.take(wire.shell(raw).metadata, raw)
        except Unreadable:
            log.exception("unreadable metadata", extra={"kind": self.resource.kind})

    def take(self, meta: wire.ObjectMeta, body: bytes, *, as_of: int = 0) -> None:
        """Take in an object that is newer; a list `as_of` a version is right about all before."""
        address = (meta.namespace, meta.name)
        old = self._entries.get(address)
        known = max(old.version if old else 0, self._gone.get(address, 0))
        version = meta.version or known + 1
        overruled = known <= as_of and version != known
        if version <= known and not overruled:
            return
        self.version = max(self.version, version)
        new = Entry(version, body, self._groups_of(meta))
        if old is None:
            self._add(address, new)
        else:
            self._replace(address, old, new)

    def remove(self, key: Key, *, version: int = 0) -> None:
        """Forget an object that was deleted at `version`; older news of it are not believed."""
        entry = self._entries.get(key)
        if entry and version and version < entry.version:
            return
        self._gone[(key.namespace, key.name)] = max(version, entry.version if entry else 0)
        if entry is None:
            return
        last = self._read(key, entry) if self._listeners else None
        del self._entries[key]
        self._parsed.pop(key, None)
        self._regroup(key, entry.groups, ())
        self._tell(last)

    def sweep(self, listed: Collection[Address], version: int) -> None:
        """Remove what a list as of `version` lacks, save what was made after it."""
        for address in self._entries.keys() - set(listed):
            if self._entries[address].version <= version:
                self.remove(Key(*address), version=version)
        self.version = max(self.version, version)
        for address in [key for key, gone in self._gone.items() if gone <= version]:
            del self._gone[address]

    def start_over(self) -> None:
        """Believe the next list whatever its version: the server's history is another one now."""
        self._gone.clear()
        self.version = 0
        for entry in self._entries.values():
            entry.version = 0

    def _add(self, address: Address, new: Entry) -> None:
        self._entries[address] = new
        self._gone.pop(address, None)
        self._regroup(address, (), new.groups)
        if self._listeners:
            self._tell(self._read(address, new))

    def _replace(self, address: Address, old: Entry, new: Entry) -> None:
        before = self._read(address, old)
        after = self._parse(address, new)
        if after is None and before is not None:
            old.version = new.version
            return
        self._entries[address] = new
        self._regroup(address, old.groups, new.groups)
        if after is None:
            return
        self._keep(address, after)
        if before is None or not self._reader.same(before, after):
            self._tell(after, before)

    def _read_all(self, addresses: Iterable[Address]) -> tuple[R, ...]:
        found = (self._read(address, self._entries[address]) for address in sorted(addresses))
        return tuple(item for item in found if item is not None)

    def _read(self, address: Address, entry: Entry) -> R | None:
        parsed = self._parsed.get(address)
        if parsed is None and not entry.unreadable:
            parsed = self._parse(address, entry)
            if parsed is not None:
                self._keep(address, parsed)
        return parsed

    def _parse(self, address: Address, entry: Entry) -> R | None:
        try:
            return self._reader.parse(entry.body)
        except Unreadable as error:
            entry.unreadable = True
            fields = {"kind": self.resource.kind, "object": str(Key(*address))}
            log.warning("unreadable object", extra=fields | {"why": reason(error)})
            return None

    def _keep(self, address: Address, parsed: R) -> None:
        self._parsed[(address[0], address[1])] = parsed
        if len(self._parsed) > PARSED_LIMIT:
            del self._parsed[next(iter(self._parsed))]

    def _groups_of(self, meta: wire.ObjectMeta) -> tuple[tuple[str, str], ...]:
        indices = self._indices.items()
        return tuple((name, value) for name, index in indices for value in index(meta))

    def _regroup(
        self,
        address: Address,
        old: Iterable[tuple[str, str]],
        new: Iterable[tuple[str, str]],
    ) -> None:
        for name, value in old:
            members = self._groups[name][value]
            members.discard(address)
            if not members:
                del self._groups[name][value]
        for name, value in new:
            self._groups[name].setdefault(value, set()).add(address)

    def _tell(self, resource: R | None, before: R | None = None) -> None:
        if resource is None:
            return
        for listener, part in self._listeners:
            try:
                if before is None or part is None or part(before) != part(resource):
                    listener(resource)
            except Exception:
                log.exception("a listener failed", extra={"kind": self.resource.kind})
