"""What the agent knows of applied objects between reconciles; losing it costs one apply each."""

from collections.abc import Callable, Iterable

from fleet.api.objects import Key
from member_agent.controllers.work.plan.actions import Seen
from member_agent.controllers.work.plan.manifests import Ref


class Memory:
    """How each object was left, which Works ask for it, and which of them is to make it."""

    def __init__(self) -> None:
        self._seen: dict[tuple[Key, Ref], Seen] = {}
        self._refs: dict[Key, frozenset[Ref]] = {}
        self._interested: dict[Ref, set[Key]] = {}
        self._makers: dict[Ref, Key] = {}
        self._told: set[Key] = set()

    def told(self, key: Key) -> None:
        """Note that a Work says how it is now, and not how it was before we started."""
        self._told.add(key)

    def all_told(self, keys: Iterable[Key]) -> bool:
        return self._told.issuperset(keys)

    def attend(self, key: Key, refs: Iterable[Ref]) -> None:
        """Note which objects concern a Work; what concerned it before is let go."""
        new, old = frozenset(refs), self._refs.get(key, frozenset())
        for ref in old - new:
            self._let_go(key, ref)
        for ref in new - old:
            self._interested.setdefault(ref, set()).add(key)
        self._refs[key] = new
        if not new:
            del self._refs[key]

    def concerned(self, ref: Ref) -> tuple[Key, ...]:
        return tuple(self._interested.get(ref, ()))

    def maker(self, key: Key, ref: Ref) -> Key:
        """Give the Work that makes an object while it is not there: the first that asks."""
        return self._makers.setdefault(ref, key)

    def seen(self, key: Key, ref: Ref) -> Seen | None:
        return self._seen.get((key, ref))

    def keep(self, key: Key, ref: Ref, seen: Seen) -> None:
        self._seen[key, ref] = seen

    def listener(self, add: Callable[[Key], None]) -> Callable[[Ref], None]:
        """Make a listener that adds every Work that an object concerns."""

        def heard(ref: Ref) -> None:
            for key in self.concerned(ref):
                add(key)

        return heard

    def _let_go(self, key: Key, ref: Ref) -> None:
        self._seen.pop((key, ref), None)
        keys = self._interested[ref]
        keys.discard(key)
        if not keys:
            del self._interested[ref]
        if self._makers.get(ref) == key:
            del self._makers[ref]
