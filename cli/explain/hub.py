"""Read from a hub what a decision is made of, by the user's kubeconfig."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from cli.explain.decisions import Fleetwide, of_members
from cli.explain.manifests import ExplainError
from cli.explain.questions import Question
from cli.hub_access import NoHubError
from cli.hub_client import hub_client
from fleet.api import names
from fleet.api.binding import Binding, ClusterResourceBinding, ResourceBinding
from fleet.api.cluster import MemberCluster
from fleet.api.keys import Key
from fleet.api.placement import ClusterResourcePlacement, Placement, ResourcePlacement
from fleet.api.snapshot import (
    ClusterSchedulingPolicySnapshot,
    PolicySnapshot,
    SchedulingPolicySnapshot,
)
from fleet.catalog.catalogue import Catalogue
from fleet.engine.holdings import holdings, namespace_needed
from fleet.engine.silence import HEARTBEATS
from fleet.kube.client import ApiClient

BINDINGS: tuple[type[Binding], ...] = (ClusterResourceBinding, ResourceBinding)
Kinds = tuple[type[Placement], type[PolicySnapshot]]
CLUSTER: Kinds = (ClusterResourcePlacement, ClusterSchedulingPolicySnapshot)
NAMESPACED: Kinds = (ResourcePlacement, SchedulingPolicySnapshot)


def world(kubeconfig: str, catalogue: Catalogue) -> Fleetwide:
    """Read the fleet, and what everybody was promised."""
    return asyncio.run(_with_client(kubeconfig, catalogue, None))[0]


def world_and_question(
    kubeconfig: str, catalogue: Catalogue, namespace: str, name: str
) -> tuple[Fleetwide, Question]:
    """Read the fleet, and one placement with what it has already."""
    key = Key(namespace, name)
    found, question = asyncio.run(_with_client(kubeconfig, catalogue, key))
    if question is None:
        raise ExplainError(f"{key} is not there")
    return found, question


async def _with_client(
    kubeconfig: str, catalogue: Catalogue, placement: Key | None
) -> tuple[Fleetwide, Question | None]:
    try:
        async with hub_client(kubeconfig) as client:
            found, bindings = await _world(client, catalogue)
            return found, await _question(client, placement, bindings) if placement else None
    except NoHubError as error:
        raise ExplainError(str(error)) from error


async def _world(client: ApiClient, catalogue: Catalogue) -> tuple[Fleetwide, list[Binding]]:
    members = (await client.list(MemberCluster)).objects()
    now = client.now()
    bindings: list[Binding] = []
    for kind in BINDINGS:
        bindings += (await client.list(kind)).objects()
    found = of_members(members, catalogue, now=now)
    for binding in bindings:
        if binding.in_use:
            who, spec = _parent(binding), binding.spec
            found.ledger.promise(who, spec.target_cluster, spec.allocations)
    return replace(found, silent_seconds=dict(_silences(members, now))), bindings


async def _question(client: ApiClient, key: Key, bindings: Iterable[Binding]) -> Question:
    """Ask of a placement; without a namespace it is a cluster-scoped one."""
    kind, policy_kind = NAMESPACED if key.namespace else CLUSTER
    placement = await client.get(kind, key)
    if placement is None:
        hint = "" if key.namespace else "; a ResourcePlacement needs -n NAMESPACE"
        raise ExplainError(f"there is no {kind.kind()} {key} on the hub{hint}")
    listing = await client.list(policy_kind, key.namespace, f"{names.PARENT}={placement.name}")
    latest = max((s for s in listing.objects() if s.latest), key=_index, default=None)
    if latest is None:
        raise ExplainError(f"{kind.kind()} {key} has no policy snapshot yet: is the hub up?")
    mine = [binding for binding in bindings if _parent(binding) == key]
    return Question(
        title=f"{kind.kind()} {key}",
        who=key,
        policy=latest.policy,
        limit=latest.limit,
        demands=latest.spec.demands,
        namespace=namespace_needed(placement),
        holdings=holdings(mine, listing.objects(), latest),
    )


def _parent(binding: Binding) -> Key:
    return Key(binding.namespace, binding.metadata.labels.get(names.PARENT, ""))


def _index(snapshot: PolicySnapshot) -> int:
    return int(snapshot.metadata.labels.get(names.POLICY_INDEX, "-1"))


def _silences(members: Iterable[MemberCluster], now: datetime) -> Iterator[tuple[str, float]]:
    """By the heartbeats' timestamps: a command has no time to wait for the next one."""
    for member in members:
        age = (now - member.heartbeat).total_seconds() if member.heartbeat else 0.0
        if age >= HEARTBEATS * member.spec.heartbeat_period_seconds:
            yield member.name, age
