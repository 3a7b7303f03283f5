"""Read what `plan` needs: of the placement from the caches, of what it selects by watches."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fleet.api.ending import Ending
from fleet.api.objects import Key
from fleet.api.placement import Placement
from fleet.api.scope import Scope
from fleet.catalog.catalogue import Catalogue
from fleet.engine.snapshots import groups
from fleet.kube.dynamic import DynamicClient
from fleet.kube.errors import NotPermittedError, NotServedError, TransientError
from fleet.kube.removals import LOOK_SECONDS, Removals
from fleet.kube.resources import ApiResource
from fleet.kube.serve import INSTALL
from hub.active_runs import ActiveRuns
from hub.controllers.placement.observe.contents import Bodies, content_of
from hub.controllers.placement.observe.selectors import Selected, SelectorError, select
from hub.controllers.placement.plan.actions import Content, Invalid, Observed
from hub.needed_fields import Lacks, nothing
from hub.scope_caches import BY_PLACEMENT, ScopeCaches
from hub.update_runs import snapshot_index
from hub.watches import Meta, Watches

PLACEABLE = "the hub reads what rbac.placeable of its chart says: add the kind there"


class User(NamedTuple):
    """A placement that watches kinds, by its scope."""

    scope: str
    key: Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    scope: Scope
    reads: ScopeCaches
    dynamic: DynamicClient
    watches: Watches
    bodies: Bodies
    catalogue: Catalogue
    runs: ActiveRuns
    removals: Removals
    lacks: Lacks = nothing
    """Which fields that a demand needs the server's CRDs do not have."""
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
            content = content_of(await self.bodies.read(found), self.catalogue)
            if isinstance(content, Content):
                await self._lost(key, selected, content)
            return await self._carried(content)
        except SelectorError as error:
            await self._note_missing(key)
            return Invalid("InvalidResourceSelectors", str(error))
        except NotPermittedError as error:
            return Invalid("ResourcesNotPermitted", f"{error}; {PLACEABLE}")

    async def _lost(self, key: Key, selected: Selected, content: Content) -> None:
        """Wait for what goes with a kind that selectors name: it may come back with that."""
        kinds = {(query.resource.api_version, query.resource.kind) for query in selected.queries}
        master, there = self._newest(key)
        for api_version, kind, name in sorted(there - _named(content.manifests)):
            if (api_version, kind) in kinds:
                resource = await self.dynamic.resource_for(api_version, kind)
                ending = await self.removals.of_all(resource, f"{master} {kind} {name}")
                if ending is not Ending.OWN:
                    why = f"{kind} {name} is there no more"
                    raise TransientError(why, retry_after=LOOK_SECONDS)

    def _newest(self, key: Key) -> tuple[str, frozenset[tuple[str, str, str]]]:
        """Give the newest resource snapshot, and what it holds."""
        found = groups(self.reads.resources.by(BY_PLACEMENT, str(key)))
        newest = max(found, default=None, key=lambda group: group.index)
        return (newest.master.name, _named(newest.manifests)) if newest else ("", frozenset())

    async def _note_missing(self, key: Key) -> None:
        for api_version, kind, _ in self._newest(key)[1]:
            try:
                await self.dynamic.resource_for(api_version, kind)
            except NotServedError:
                self.removals.missing(api_version, kind)

    async def _carried(self, content: Content | Invalid) -> Content | Invalid:
        """Place no model where what it needs cannot be written down: any cluster would do then."""
        if isinstance(content, Invalid) or not content.demands:
            return content
        lacks = await self.lacks()
        told = ", ".join(f"{lack.crd} has no field {lack.field}" for lack in lacks)
        return (
            Invalid("CustomResourceDefinitionOutdated", f"{told}; {INSTALL}") if told else content
        )

    def concerned(self, resource: ApiResource, meta: Meta) -> tuple[Key, ...]:
        """Name the placements of this scope that an object's change may concern."""
        users = (user for user in self.watches.users(resource) if isinstance(user, User))
        ours = ((u.key, self.selected.get(u.key)) for u in users if u.scope == self.scope.prefix)
        return tuple(key for key, found in ours if found and found.concerned(resource, meta))

    def _user(self, key: Key) -> "User":
        return User(self.scope.prefix, key)

    def _forget(self, key: Key) -> None:
        self.selected.pop(key, None)
        self.watches.release(self._user(key))


def _named(manifests: Iterable[Mapping[str, Any]]) -> frozenset[tuple[str, str, str]]:
    """Name objects, each with its version and kind."""
    return frozenset(
        (
            manifest["apiVersion"],
            manifest["kind"],
            f"{metadata.get('namespace', '')}/{metadata['name']}",
        )
        for manifest in manifests
        for metadata in [manifest["metadata"]]
    )
