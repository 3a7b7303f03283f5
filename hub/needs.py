"""Which kinds each controller reads: the hub watches those of the controllers that it runs."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from fleet.api.scope import NAMESPACED
from fleet.kube.cache import Cache
from hub.kinds import Kinds

Caches = Iterator[Cache[Any]]


def needed(kinds: Kinds, controllers: Iterable[str]) -> frozenset[Cache[Any]]:
    """Name the caches to fill; MemberClusters always, whose heartbeats are listened for."""
    read = (cache for name in controllers for cache in NEEDS[name](kinds))
    return frozenset((kinds.clusters, *read))


def _membership(kinds: Kinds) -> Caches:
    yield from kinds.members


def _profiles(kinds: Kinds) -> Caches:
    yield kinds.profiles


def _scheduling(kinds: Kinds) -> Caches:
    for scope in kinds.scopes.values():
        yield from (scope.placements, scope.policies, scope.bindings)


def _scopes(kinds: Kinds) -> Caches:
    for scope in kinds.scopes.values():
        yield from scope


def _evictions(kinds: Kinds) -> Caches:
    yield kinds.evictions


def _works(kinds: Kinds) -> Caches:
    yield from _scopes(kinds)
    yield kinds.works


def _workloads(kinds: Kinds) -> Caches:
    yield from _works(kinds)
    yield from kinds.workloads


def _endpoints(kinds: Kinds) -> Caches:
    yield from _workloads(kinds)
    yield from _services(kinds)


def _services(kinds: Kinds) -> Caches:
    yield from (kinds.services, kinds.endpoints)


def _deployments(kinds: Kinds) -> Caches:
    yield from (kinds.deployments, kinds.toolchain_deployments, kinds.inference_sets)
    yield from kinds.scopes[NAMESPACED]


def _credentials(kinds: Kinds) -> Caches:
    yield kinds.works
    if kinds.secrets is not None:
        yield kinds.secrets


NEEDS: Mapping[str, Callable[[Kinds], Caches]] = {
    "membership": _membership,
    "cluster-profile": _profiles,
    "placement": _scopes,
    "scheduling": _scheduling,
    "rollout": _scopes,
    "updaterun": _scopes,
    "eviction": _evictions,
    "work-generation": _works,
    "workload-status": _workloads,
    "endpoints": _endpoints,
    "services": _services,
    "model-deployment": _deployments,
    "gateway-credentials": _credentials,
}
"""By the names of settings.CONTROLLERS."""
