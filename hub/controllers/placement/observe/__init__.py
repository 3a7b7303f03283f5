"""Read what `plan` needs: of the placement from the caches, of what it selects by watches."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

from fleet.api.objects import Key
from fleet.api.placement import Placement
from fleet.catalog.catalogue import Catalogue
from fleet.kube.dynamic import DynamicClient
from fleet.kube.errors import NotPermittedError
from fleet.kube.resources import ApiResource
from hub.active_runs import ActiveRuns
from hub.controllers.placement.observe.contents import Bodies, content_of
from hub.controllers.placement.observe.selectors import Selected, SelectorError, select
from hub.controllers.placement.plan.actions import Content, Invalid, Observed
from hub.scope import Scope
from hub.scope_caches import BY_PLACEMENT, ScopeCaches
from hub.update_runs import snapshot_index
from hub.watches import Meta, Watches

PLACEABLE = "the hub reads what rbac.placeable of its chart says: add the kind there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    scope: Scope
    reads: ScopeCaches
    dynamic: DynamicClient
    watches: Watches
    bodies: Bodies
    catalogue: Catalogue
    runs: ActiveRuns
    selected: dict[Key, Selected] = field(default_factory=dict)
    """What each placement selected last, to tell whom a change concerns."""

    async def observe(self, key: Key) -> Observed:
        placement = self.reads.placements.get(key)
        gone = placement is None or placement.deleting
        content = Content() if placement is None or gone else await self._content(key, placement)
        if gone:
            self._forget(key)
        return Observed(
            scope=self.scope,
            name=key.name,
            placement=placement,
            content=content,
            policies=self.reads.policies.by(BY_PLACEMENT, str(key)),
            resources=self.reads.resources.by(BY_PLACEMENT, str(key)),
            bindings=self.reads.bindings.by(BY_PLACEMENT, str(key)),
            kept_for_runs=frozenset(self._kept_for_runs(key)),
        )

    def _kept_for_runs(self, key: Key) -> Iterator[int]:
        for run in self.runs.of(key):
            index = snapshot_index(run)
            if index.isdecimal():
                yield int(index)

    async def resource_hash(self, key: Key) -> str | None:
        """Sum up what a placement selects now; None where that cannot be said."""
        placement = self.reads.placements.get(key)
        if placement is None or placement.deleting:
            return None
        content = await self._content(key, placement)
        return content.resource_hash if isinstance(content, Content) else None

    async def _content(self, key: Key, placement: Placement) -> Content | Invalid:
        try:
            selected = await select(placement, self._user(key), self.dynamic, self.watches)
            self.selected[key] = selected
            found = selected.found.values() if selected.found else ()
            return content_of(await self.bodies.read(found), self.catalogue)
        except SelectorError as error:
            return Invalid("InvalidResourceSelectors", str(error))
        except NotPermittedError as error:
            return Invalid("ResourcesNotPermitted", f"{error}; {PLACEABLE}")

    def concerned(self, resource: ApiResource, meta: Meta) -> tuple[Key, ...]:
        """Name the placements of this scope that an object's change may concern."""
        users = self.watches.users(resource)
        return tuple(
            key
            for key, selected in self.selected.items()
            if self._user(key) in users and selected.concerned(resource, meta)
        )

    def _user(self, key: Key) -> Hashable:
        return self.scope.prefix, key

    def _forget(self, key: Key) -> None:
        self.selected.pop(key, None)
        self.watches.release(self._user(key))
