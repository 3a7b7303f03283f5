"""Read a placement's selectors as queries, and find the objects that match."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fleet.api.objects import Key
from fleet.api.placement import Placement, ResourceSelector, SelectionScope
from fleet.kube.dynamic import DynamicClient
from fleet.kube.errors import NotServedError
from fleet.kube.resources import ApiResource
from hub.controllers.placement.plan.exclusions import kind_stays, made_in_each, reserved, stays
from hub.watches import Meta, Watches

NAMESPACE = ApiResource("v1", "Namespace", "namespaces", namespaced=False)
CONTENTS = SelectionScope.NAMESPACE_WITH_RESOURCES
SELECTORS = SelectionScope.NAMESPACE_WITH_RESOURCE_SELECTORS


class SelectorError(ValueError):
    """A selector that can select nothing, whatever there is; the message names it."""


@dataclass(frozen=True, slots=True)
class Query:
    resource: ApiResource
    namespace: str
    selector: ResourceSelector

    def matches(self, meta: Meta) -> bool:
        if meta.namespace != self.namespace:
            return False
        if self.selector.name:
            return meta.name == self.selector.name
        labels = self.selector.label_selector
        return labels is None or labels.matches(meta.labels)

    @property
    def takes_contents(self) -> bool:
        return self.resource == NAMESPACE and self.selector.selection_scope is CONTENTS


@dataclass(frozen=True, slots=True)
class Found:
    """An object to place; without metadata it has been named and not seen yet."""

    resource: ApiResource
    key: Key
    meta: Meta | None


@dataclass(frozen=True, slots=True)
class Selected:
    """Which objects a placement selects, and which queries led to them."""

    queries: tuple[Query, ...] = ()
    contents_of: frozenset[str] = frozenset()
    """Namespaces that are selected with all that is in them."""
    found: Mapping[tuple[ApiResource, Key], Found] | None = None

    def concerned(self, resource: ApiResource, meta: Meta) -> bool:
        """Say whether a change of this object may change the selection or its content."""
        if meta.namespace in self.contents_of:
            return True
        if self.found and (resource, Key(meta.namespace, meta.name)) in self.found:
            return True
        return any(q.resource == resource and q.matches(meta) for q in self.queries)


async def queries(placement: Placement, dynamic: DynamicClient) -> tuple[Query, ...]:
    selectors = placement.spec.resource_selectors
    within = next((s.name for s in selectors if _is_namespace(s, SELECTORS)), "")
    return tuple([await _query(placement, s, within, dynamic) for s in selectors])


async def _query(
    placement: Placement, selector: ResourceSelector, within: str, dynamic: DynamicClient
) -> Query:
    version = f"{selector.group}/{selector.version}" if selector.group else selector.version
    try:
        resource = await dynamic.resource_for(version, selector.kind)
    except NotServedError as error:
        raise SelectorError(f"{_title(selector)}: the hub serves no such kind") from error
    if placement.NAMESPACED:
        if not resource.namespaced:
            text = "a ResourcePlacement selects namespaced objects only, and this kind is not"
            raise SelectorError(f"{_title(selector)}: {text}")
        return Query(resource, placement.namespace, selector)
    if resource.namespaced and not within:
        text = "a ClusterResourcePlacement selects cluster-scoped objects; select the Namespace"
        raise SelectorError(f"{_title(selector)}: {text}")
    return Query(resource, within if resource.namespaced else "", selector)


async def select(
    placement: Placement, user: object, dynamic: DynamicClient, watches: Watches
) -> Selected:
    """Find what a placement selects; SelectorError where a selector is wrong."""
    asked = await queries(placement, dynamic)
    kinds = {query.resource for query in asked}
    await watches.hold(user, kinds)
    found = [f for query in asked for f in _matching(query, watches)]
    namespaces = _opened(asked, found)
    if namespaces:
        contents = await _namespaced_kinds(dynamic)
        await watches.hold(user, kinds | contents)
        found += [f for kind in contents for f in _contents(kind, namespaces, watches)]
    return Selected(asked, namespaces, {(f.resource, f.key): f for f in found})


def _matching(query: Query, watches: Watches) -> Iterator[Found]:
    if query.selector.name:
        key = Key(query.namespace, query.selector.name)
        meta = watches.get(query.resource, key)
        if not _leaves(query.resource, meta):
            yield Found(query.resource, key, meta)
        return
    kind = query.resource.group, query.resource.kind
    for meta in watches.all(query.resource, query.namespace or None):
        if not query.matches(meta) or _leaves(query.resource, meta) or made_in_each(*kind, meta):
            continue
        yield Found(query.resource, Key(meta.namespace, meta.name), meta)


def _leaves(resource: ApiResource, meta: Meta | None) -> bool:
    if meta is None:
        return False
    deleting = meta.deletion_timestamp is not None
    return deleting or (resource == NAMESPACE and reserved(meta.name))


def _opened(asked: Sequence[Query], found: Iterable[Found]) -> frozenset[str]:
    """Name the namespaces of which the contents are wanted too."""
    opening = [query for query in asked if query.takes_contents]
    metas = [f.meta for f in found if f.resource == NAMESPACE and f.meta]
    return frozenset(m.name for m in metas if any(query.matches(m) for query in opening))


async def _namespaced_kinds(dynamic: DynamicClient) -> set[ApiResource]:
    served = await dynamic.served()
    return {r for r in served if r.namespaced and not kind_stays(r.group, r.kind)}


def _contents(
    resource: ApiResource, namespaces: frozenset[str], watches: Watches
) -> Iterator[Found]:
    for namespace in sorted(namespaces):
        for meta in watches.all(resource, namespace):
            if meta.deletion_timestamp is None and not stays(resource.group, resource.kind, meta):
                yield Found(resource, Key(meta.namespace, meta.name), meta)


def _is_namespace(selector: ResourceSelector, scope: SelectionScope) -> bool:
    kind = (selector.group, selector.version, selector.kind)
    return kind == ("", "v1", "Namespace") and selector.selection_scope is scope


def _title(selector: ResourceSelector) -> str:
    kind = f"{selector.group}/{selector.version} {selector.kind}".lstrip("/")
    return f"{kind} {selector.name}".rstrip()
