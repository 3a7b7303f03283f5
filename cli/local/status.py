"""What a local fleet is doing: its clusters as the hub knows them, and every process."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from cli.local import kwok, procfs
from cli.local.daemons import Daemon, Daemons, ask
from cli.local.errors import LocalError
from cli.local.gateway import local_gateway
from cli.local.kubectl import Kubectl
from cli.local.topology import HUB, REGIONS, Fleet
from fleet.api.cluster import MemberCluster, Pool
from fleet.api.service import ModelEndpoint
from fleet.catalog.catalogue import Catalogue

_HUB_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessStatus:
    name: str
    cluster: str
    pid: int | None
    ready: bool
    control_plane: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterStatus:
    name: str
    kubeconfig: str
    ready: bool
    region: str = ""
    nodes: int | None = None
    """GPU nodes that are there; None where nobody knows: a lost region, a hub that is down."""
    spare_gpus: Mapping[str, int] = field(default_factory=dict)
    """Free and provisionable ones by GPU."""
    usd_per_hour: str | None = None
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetStatus:
    fleet: str
    clusters: tuple[ClusterStatus, ...]
    processes: tuple[ProcessStatus, ...]
    url: str
    key: str = field(repr=False)

    def document(self) -> dict[str, Any]:
        """Return what `-o json` and `-o yaml` print."""
        return {
            "fleet": self.fleet,
            "clusters": [_camel(asdict(cluster)) for cluster in self.clusters],
            "processes": [_camel(asdict(process)) for process in self.processes],
            "gateway": {"url": self.url, "key": self.key},
        }


@dataclass(frozen=True, slots=True)
class HubView:
    """What the hub says about members; empty where it does not answer."""

    clusters: Mapping[str, MemberCluster] = field(default_factory=dict)
    endpoints: tuple[ModelEndpoint, ...] = ()


async def read(
    fleet: Fleet, daemons: Iterable[Daemon], kubectl: Kubectl, catalogue: Catalogue
) -> FleetStatus:
    view, ready, processes = await asyncio.gather(
        _hub_view(kubectl), _ready(fleet), _processes(fleet, daemons)
    )
    gateway = local_gateway(fleet.name)
    return FleetStatus(
        fleet=fleet.name,
        clusters=tuple(
            cluster_status(fleet, cluster, ready[cluster], view, catalogue)
            for cluster in fleet.clusters
        ),
        processes=processes,
        url=fleet.gateway_url,
        key=gateway.key if gateway else "",
    )


def cluster_status(
    fleet: Fleet, name: str, ready: bool, view: HubView, catalogue: Catalogue
) -> ClusterStatus:
    kubeconfig = str(fleet.kubeconfig(name))
    region = REGIONS.get(name, "")
    member = view.clusters.get(name)
    if name == HUB or not ready or member is None or member.status.agent is None:
        return ClusterStatus(name=name, kubeconfig=kubeconfig, ready=ready, region=region)
    pools = member.status.inventory.pools
    return ClusterStatus(
        name=name,
        kubeconfig=kubeconfig,
        ready=ready,
        region=member.region,
        nodes=sum(pool.nodes for pool in pools),
        spare_gpus=spare(pools, catalogue),
        usd_per_hour=str(cost(pools, member.region, catalogue)),
        models=models(name, view.endpoints),
    )


def spare(pools: Iterable[Pool], catalogue: Catalogue) -> dict[str, int]:
    """Count free and provisionable GPUs by model: `{"A100": 24}`."""
    counted: Counter[str] = Counter()
    for pool in pools:
        sku = catalogue.sku(pool.instance_type)
        gpu = sku.gpu_model if sku else pool.instance_type
        counted[gpu] += pool.gpus_free + pool.nodes_provisionable * pool.gpus_per_node
    return dict(sorted(counted.items()))


def cost(pools: Iterable[Pool], region: str, catalogue: Catalogue) -> Decimal:
    """Sum up what the nodes cost in US dollars an hour, where the price is known."""
    prices = (
        (catalogue.price(pool.instance_type, region, pool.capacity_type), pool.nodes)
        for pool in pools
    )
    return sum((price * nodes for price, nodes in prices if price), Decimal(0))


def models(cluster: str, endpoints: Iterable[ModelEndpoint]) -> tuple[str, ...]:
    """Return the models that are ready on a cluster."""
    ready = (e for e in endpoints if e.spec.cluster == cluster and e.status.ready_replicas)
    return tuple(sorted({endpoint.spec.model or endpoint.spec.service for endpoint in ready}))


async def _hub_view(kubectl: Kubectl) -> HubView:
    kinds = f"{MemberCluster.crd()},{ModelEndpoint.crd()}"
    try:
        found = await kubectl.get(kinds, "--all-namespaces", deadline=_HUB_SECONDS)
    except (LocalError, OSError):
        return HubView()
    items = found["items"]
    clusters = [MemberCluster.model_validate(o) for o in _of(MemberCluster.kind(), items)]
    endpoints = [ModelEndpoint.model_validate(o) for o in _of(ModelEndpoint.kind(), items)]
    return HubView({cluster.name: cluster for cluster in clusters}, tuple(endpoints))


def _of(kind: str, items: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [item for item in items if item["kind"] == kind]


async def _ready(fleet: Fleet) -> dict[str, bool]:
    answered = await asyncio.gather(*(api_ready(fleet, name) for name in fleet.clusters))
    return dict(zip(fleet.clusters, answered, strict=True))


async def api_ready(fleet: Fleet, cluster: str) -> bool:
    if not fleet.authority(cluster).exists():
        return False
    url = f"https://127.0.0.1:{fleet.ports(cluster).apiserver}/readyz"
    return (await ask(url, authority=fleet.authority(cluster))).ready


async def _processes(fleet: Fleet, daemons: Iterable[Daemon]) -> tuple[ProcessStatus, ...]:
    keeper = Daemons(fleet)
    own = [_own(keeper, daemon) for daemon in daemons]
    return (*_control_planes(fleet), *await asyncio.gather(*own))


async def _own(keeper: Daemons, daemon: Daemon) -> ProcessStatus:
    process = keeper.process(daemon.name)
    return ProcessStatus(
        name=daemon.name,
        cluster=daemon.cluster,
        pid=process.pid if process else None,
        ready=bool(process) and await keeper.ready(daemon),
    )


def _control_planes(fleet: Fleet) -> list[ProcessStatus]:
    return [
        _component(cluster, name, process)
        for cluster in fleet.clusters
        for name, process in kwok.components(fleet, cluster).items()
    ]


def _component(cluster: str, name: str, process: procfs.Process | None) -> ProcessStatus:
    return ProcessStatus(
        name=f"{cluster}-{name}",
        cluster=cluster,
        pid=process.pid if process else None,
        ready=process is not None,
        control_plane=True,
    )


def _camel(fields: Mapping[str, Any]) -> dict[str, Any]:
    renamed = {"spare_gpus": "spareGpus", "usd_per_hour": "usdPerHour"}
    renamed["control_plane"] = "controlPlane"
    return {renamed.get(name, name): value for name, value in fields.items()}
