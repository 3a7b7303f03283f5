"""What `status` says, for people and for programs."""

from io import StringIO
from pathlib import Path

from rich.console import Console

from cli.local.status import ClusterStatus, FleetStatus, HubView, ProcessStatus, cluster_status
from cli.local.table import table
from cli.local.topology import HUB, REGIONS, Fleet
from fleet.api.cluster import AgentStatus, Inventory, MemberCluster, MemberClusterStatus, Pool
from fleet.api.service import ModelEndpoint
from fleet.catalog.catalogue import load

FLEET = Fleet("t", 1, tuple(REGIONS), Path("/state/t"))
CATALOGUE = load()


def member(*pools: Pool) -> MemberCluster:
    spec = {"identity": {"kind": "ServiceAccount", "name": "member-agent"}}
    found = MemberCluster.model_validate({"metadata": {"name": "eu"}, "spec": spec})
    labels = {"topology.kubernetes.io/region": "northeurope"}
    metadata = found.metadata.model_copy(update={"labels": labels})
    agents = (AgentStatus(type="MemberAgent"),)
    status = MemberClusterStatus(inventory=Inventory(pools=pools), agent_status=agents)
    return found.model_copy(update={"metadata": metadata, "status": status})


def a100(*, nodes: int = 0, free: int = 0, provisionable: int = 0) -> Pool:
    return Pool(
        instance_type="Standard_NC24ads_A100_v4",
        gpus_per_node=1,
        nodes=nodes,
        gpus_free=free,
        nodes_provisionable=provisionable,
    )


def endpoint(model: str, cluster: str, ready: int) -> ModelEndpoint:
    spec = {"service": model, "url": "http://127.0.0.1:1/v1", "cluster": cluster}
    metadata = {"name": f"{model}-{cluster}", "namespace": "demo"}
    status = {"readyReplicas": ready}
    return ModelEndpoint.model_validate({"metadata": metadata, "spec": spec, "status": status})


def eu(view: HubView, *, ready: bool = True) -> ClusterStatus:
    return cluster_status(FLEET, "eu", ready, view, CATALOGUE)


def test_a_members_nodes_cost_what_its_region_charges() -> None:
    status = eu(HubView({"eu": member(a100(nodes=2))}))
    assert (status.nodes, status.usd_per_hour) == (2, "8.816")


def test_spare_gpus_are_the_free_and_the_provisionable_ones_by_model() -> None:
    four = Pool(instance_type="Standard_NC96ads_A100_v4", gpus_per_node=4, nodes_provisionable=2)
    status = eu(HubView({"eu": member(a100(free=1, provisionable=3), four)}))
    assert status.spare_gpus == {"A100": 12}


def test_models_are_those_that_are_ready_there() -> None:
    endpoints = (endpoint("phi", "eu", 1), endpoint("qwen", "eu", 0), endpoint("llama", "us", 1))
    status = eu(HubView({"eu": member()}, endpoints))
    assert status.models == ("phi",)


def test_of_a_lost_region_nothing_is_claimed() -> None:
    status = eu(HubView({"eu": member(a100(nodes=2))}), ready=False)
    assert (status.ready, status.nodes, status.usd_per_hour) == (False, None, None)


def test_of_a_member_that_never_reported_nothing_is_claimed() -> None:
    silent = member().model_copy(update={"status": MemberClusterStatus()})
    assert eu(HubView({"eu": silent})).nodes is None


def test_without_the_hub_clusters_are_still_named() -> None:
    status = eu(HubView())
    assert (status.name, status.region, status.nodes) == ("eu", "northeurope", None)


def whole() -> FleetStatus:
    return FleetStatus(
        fleet="t",
        clusters=(
            ClusterStatus(name=HUB, kubeconfig="/k/hub", ready=True),
            eu(HubView({"eu": member(a100(nodes=1, free=1))}, (endpoint("phi", "eu", 1),))),
        ),
        processes=(
            ProcessStatus(name="eu-etcd", cluster="eu", pid=1, ready=True, control_plane=True),
            ProcessStatus(name="eu-agent", cluster="eu", pid=None, ready=False),
            ProcessStatus(name="gateway", cluster="", pid=2, ready=False),
        ),
        url="http://127.0.0.1:18180/v1",
        key="mf-secret",
    )


def test_the_document_has_the_shape_that_programs_read() -> None:
    document = whole().document()
    assert {"name", "kubeconfig", "ready"} <= set(document["clusters"][0])
    assert {"name", "pid", "ready"} <= set(document["processes"][0])
    assert document["gateway"] == {"url": "http://127.0.0.1:18180/v1", "key": "mf-secret"}


def test_the_table_names_what_does_not_run() -> None:
    console = Console(width=160, file=StringIO())
    with console.capture() as captured:
        console.print(table(whole()))
    text = captured.get()
    assert "agent is not running" in text
    assert "gateway 2 is not ready" in text
    assert "1 A100" in text
    assert "4.41" in text
    assert "phi" in text
    assert "mf-secret" not in text
