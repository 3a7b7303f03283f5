"""The fleet for kind: files that kind can read, of the same clusters as the local fleet's."""

import re
import subprocess
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from cli.local.topology import HUB, REGIONS
from fleet.api import names
from fleet.catalog.catalogue import load

FOLDER = Path(__file__).parents[3] / "kind-config"
README = (FOLDER / "README.md").read_text()
Port = Annotated[int, Field(ge=1, le=65535)]


class Part(BaseModel):
    """kind refuses a field that it does not know; so does this."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class PortMapping(Part):
    container_port: Port
    host_port: Annotated[int, Field(ge=-1, le=65535)] = 0
    listen_address: str = ""
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"


class Node(Part):
    role: Literal["control-plane", "worker"]
    image: str = ""
    labels: dict[str, str] = {}
    extra_mounts: list[dict[str, str | bool]] = []
    extra_port_mappings: list[PortMapping] = []
    gpus: str = ""
    kubeadm_config_patches: list[str] = []


class Networking(Part):
    ip_family: Literal["ipv4", "ipv6", "dual"] = "ipv4"
    api_server_port: int = 0
    api_server_address: str = ""
    pod_subnet: str = ""
    service_subnet: str = ""
    disable_default_cni: bool = Field(default=False, alias="disableDefaultCNI")
    kube_proxy_mode: Literal["iptables", "ipvs", "nftables", "none"] = "iptables"
    dns_search: list[str] = []


class Cluster(Part):
    """kind.x-k8s.io/v1alpha4, as far as a fleet needs it."""

    kind: Literal["Cluster"]
    api_version: Literal["kind.x-k8s.io/v1alpha4"]
    name: str
    nodes: list[Node]
    networking: Networking = Networking()
    feature_gates: dict[str, bool] = {}
    runtime_config: dict[str, str] = {}


def cluster(name: str) -> Cluster:
    return Cluster.model_validate(yaml.safe_load((FOLDER / f"{name}.yaml").read_text()))


def test_there_are_the_clusters_of_the_local_fleet() -> None:
    files = {path.stem for path in FOLDER.glob("*.yaml")}
    assert files == {HUB, *REGIONS}
    for name in files:
        assert cluster(name).name == f"modelfleet-{name}"


@pytest.mark.parametrize("member", REGIONS)
def test_a_member_has_a_node_of_a_type_that_its_region_sells(member: str) -> None:
    (worker,) = [node for node in cluster(member).nodes if node.role == "worker"]
    assert worker.labels[names.REGION] == REGIONS[member]
    sold = load().prices.instance_types(REGIONS[member])
    assert worker.labels[names.INSTANCE_TYPE] in sold


def test_no_two_clusters_want_one_port_and_all_listen_here_alone() -> None:
    found = [cluster(name) for name in (HUB, *REGIONS)]
    mapped = [port for each in found for node in each.nodes for port in node.extra_port_mappings]
    taken = [port.host_port for port in mapped]
    assert len(set(taken)) == len(taken)
    assert {port.listen_address for port in mapped} == {"127.0.0.1"}
    assert {each.networking.api_server_address for each in found} == {"127.0.0.1"}


@pytest.mark.parametrize("command", ["up", "join"])
def test_the_commands_are_programs_that_bash_can_read(command: str) -> None:
    path = FOLDER / command
    assert path.stat().st_mode & 0o111
    assert f"$ kind-config/{command} " in README
    subprocess.run(["/bin/bash", "-n", str(path)], check=True)


def test_what_the_commands_name_is_there() -> None:
    repository, said = FOLDER.parent, (FOLDER / "up").read_text() + (FOLDER / "join").read_text()
    for chart in re.findall(r"charts/[a-z-]+", said):
        assert (repository / chart / "Chart.yaml").is_file()
    joined = dict(re.findall(r"^join (\w+) (\w+)$", said, re.MULTILINE))
    assert joined == REGIONS
    for link in re.findall(r"\]\(([^)]+)\)", README):
        assert (FOLDER / link).exists()
