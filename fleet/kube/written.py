"""Caches that see a client's own writes at once, before their watch brings them."""

from collections.abc import Iterable
from typing import Any

from fleet.api.keys import Key
from fleet.kube import wire
from fleet.kube.cache import Cache
from fleet.kube.resources import ApiResource


class Written:
    """What the server answered to writes, for those caches that hold the whole of their kind."""

    def __init__(self) -> None:
        self._caches: dict[ApiResource, list[Cache[Any]]] = {}

    def remember(self, caches: Iterable[Cache[Any]]) -> None:
        for cache in caches:
            if not (cache.label_selector or cache.field_selector or cache.metadata_only):
                self._caches.setdefault(cache.resource, []).append(cache)

    def see(self, resource: ApiResource, body: bytes) -> Any:
        """Take in an answer; give it as a cache has read it, or None where none has."""
        read = None
        if caches := self._caches.get(resource):
            meta = wire.shell(body).metadata
            for cache in caches:
                if cache.synced and cache.namespace in ("", meta.namespace):
                    cache.take(meta, body)
                    read = read or cache.read(Key(meta.namespace, meta.name), body)
        return read

    def see_deleted(self, resource: ApiResource, key: Key, answer: bytes) -> None:
        """Take in the answer to a delete: the object that waits for its finalizers, or success."""
        if resource not in self._caches:
            return
        if wire.kind_of(answer) == resource.kind:
            self.see(resource, answer)
            return
        details = wire.status(answer).details
        gone = details.uid if details else ""
        for cache in self._caches[resource]:
            held = cache.body(key)
            if held and gone in ("", wire.shell(held).metadata.uid):
                cache.remove(key)
