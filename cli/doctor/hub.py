"""Look at a hub by the user's kubeconfig; what the user may not see is left open."""

import asyncio
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import suppress
from importlib.resources import files
from typing import Any, Final, TypeVar

import yaml

from cli.charts import NAMESPACE
from cli.doctor.facts import HubFacts, Kinds, LeaderLease
from cli.hub_access import NoHubError
from cli.hub_client import hub_client
from fleet.api.cluster import MemberCluster
from fleet.api.core import CustomResourceDefinition, Lease
from fleet.api.objects import Key
from fleet.api.staged_update import ClusterStagedUpdateRun, StagedUpdateRun, UpdateRun
from fleet.kube.client import ApiClient, Client
from fleet.kube.errors import ForbiddenError, NotFoundError, TransientError

T = TypeVar("T")
LEASE: Final = Key(NAMESPACE, "modelfleet-hub")
RUNS: Final[tuple[type[UpdateRun], ...]] = (ClusterStagedUpdateRun, StagedUpdateRun)
LOOK_AGAIN_SECONDS: Final = 3.0
"""Longer than a leader leaves between two renewals."""
FLEET, PLACEMENT = "cluster.kubernetes-fleet.io", "placement.kubernetes-fleet.io"
NEEDED: Final[tuple[tuple[str, str, str], ...]] = (
    ("list", FLEET, "memberclusters"),
    ("create", FLEET, "memberclusters"),
    ("delete", FLEET, "memberclusters"),
    ("create", "", "serviceaccounts/token"),
    ("list", PLACEMENT, "clusterresourceplacements"),
    ("list", PLACEMENT, "resourceplacements"),
    ("list", PLACEMENT, "works"),
)
"""Verb, group and resource of what our commands do."""


async def look(kubeconfig: str, context: str) -> HubFacts:
    """Look at what can be seen; a hub that does not answer is a fact too."""
    try:
        async with hub_client(kubeconfig, context) as hub:
            return await _look(hub)
    except NoHubError as error:
        return HubFacts(where=kubeconfig, trouble=str(error))


async def _look(hub: ApiClient) -> HubFacts:
    version = await hub.version()
    kinds, denied, lease, members, runs = await asyncio.gather(
        _seen(_kinds(hub)),
        _seen(_denied(hub)),
        _seen(lease_of(hub)),
        _seen(_members(hub)),
        _seen(_runs(hub)),
    )
    return HubFacts(
        where=hub.connection.server,
        version=version,
        kinds=kinds,
        denied=denied,
        lease=lease,
        members=members,
        runs=runs,
        time=hub.now(),
    )


async def _seen(reading: Awaitable[T]) -> T | None:
    try:
        return await reading
    except (ForbiddenError, NotFoundError):
        return None


async def _members(hub: Client) -> tuple[MemberCluster, ...]:
    return (await hub.list(MemberCluster)).objects()


async def _runs(hub: Client) -> tuple[UpdateRun, ...]:
    found = await asyncio.gather(*(hub.list(kind) for kind in RUNS))
    return tuple(run for listing in found for run in listing.objects())


async def _kinds(hub: Client) -> Kinds:
    there = {crd.name: crd for crd in (await hub.list(CustomResourceDefinition)).objects()}
    ours = dict(_ours())
    return Kinds(
        missing=tuple(sorted(ours.keys() - there.keys())),
        other=tuple(
            sorted(n for n in ours.keys() & there.keys() if schemas(there[n].spec) != ours[n])
        ),
    )


def _ours() -> Iterator[tuple[str, Mapping[str, Any]]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for file in files("crds").iterdir():
        if file.name.endswith(".yaml"):
            for found in yaml.load_all(file.read_bytes(), loader):
                if found["kind"] == CustomResourceDefinition.kind():
                    yield found["metadata"]["name"], schemas(found["spec"])


def schemas(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a definition holds objects to, by version."""
    return {version["name"]: version.get("schema") for version in spec["versions"]}


async def _denied(hub: ApiClient) -> tuple[str, ...]:
    answers = await asyncio.gather(*(_may(hub, *needed) for needed in NEEDED))
    return tuple(
        f"{verb} {resource}"
        for (verb, _, resource), may in zip(NEEDED, answers, strict=True)
        if not may
    )


async def _may(hub: ApiClient, verb: str, group: str, resource: str) -> bool:
    plural, _, part = resource.partition("/")
    attributes = {"verb": verb, "group": group, "resource": plural, "subresource": part}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "metadata": {},
        "spec": {"resourceAttributes": attributes},
    }
    answer = await hub.dynamic.create(review)
    return bool(answer["status"].get("allowed"))


async def lease_of(hub: ApiClient) -> LeaderLease | None:
    """Read the hub's Lease, twice where it seems to be over: clocks differ."""
    first = await _lease(hub)
    if first is None or not first.spec.renew_time or not first.spec.holder_identity:
        return None
    renewed, seconds = first.spec.renew_time, first.spec.lease_duration_seconds or 0
    moving = False
    if (hub.now() - renewed).total_seconds() >= seconds:
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        with suppress(TransientError):
            second = await hub.get(Lease, first.key)
            moving = second is not None and second.spec.renew_time != renewed
    return LeaderLease(
        holder=first.spec.holder_identity,
        namespace=first.namespace,
        renewed=renewed,
        seconds=seconds,
        moving=moving,
    )


async def _lease(hub: Client) -> Lease | None:
    """Look in the usual namespace, then in all: a hub's release may be anywhere."""
    usual = await hub.get(Lease, LEASE)
    if usual:
        return usual
    everywhere = (await hub.list(Lease)).objects()
    named = [lease for lease in everywhere if lease.name == LEASE.name and lease.spec.renew_time]
    return max(named, key=lambda lease: str(lease.spec.renew_time), default=None)
