"""Configuration of control planes, and which of their processes count as running."""

import os
from pathlib import Path
from typing import Any

import pytest

from cli.local import kwok, procfs
from cli.local.binaries import Binaries
from cli.local.products import TOOLS
from cli.local.topology import HUB, REGIONS, Fleet
from fleet.testing.waiting import until

BINARIES = Binaries({tool.name: Path("/bin") / tool.name for tool in TOOLS}, Path("/crds"))


def configuration(cluster: str) -> list[Any]:
    fleet = Fleet("t", 2, tuple(REGIONS), Path("/state/t"))
    return list(kwok.configuration(fleet, cluster, BINARIES))


def flags(cluster: str, component: str) -> dict[str, str]:
    patches = {patch["name"]: patch for patch in configuration(cluster)[0]["componentsPatches"]}
    return {arg["key"]: arg["value"] for arg in patches[component]["extraArgs"]}


def test_control_planes_listen_on_this_machine_alone() -> None:
    for cluster in (HUB, *REGIONS):
        assert configuration(cluster)[0]["options"]["bindAddress"] == "127.0.0.1"


def test_every_port_is_given_so_that_clusters_may_start_at_the_same_time() -> None:
    options = configuration("us")[0]["options"]
    ports = {name: value for name, value in options.items() if name.endswith("Port")}
    assert set(ports) == {
        "kubeApiserverPort",
        "etcdPort",
        "etcdPeerPort",
        "kubeControllerManagerPort",
        "kubeSchedulerPort",
        "kwokControllerPort",
    }
    assert all(ports.values())


def test_controllers_do_not_act_as_the_administrator() -> None:
    assert flags("us", "kube-controller-manager")["use-service-account-credentials"] == "true"


def test_nothing_writes_endpoints_of_loopback_addresses() -> None:
    off = flags("us", "kube-controller-manager")["controllers"].split(",")
    assert off == [
        "*",
        "-endpoints-controller",
        "-endpointslice-controller",
        "-endpointslice-mirroring-controller",
    ]


def test_nothing_of_kwok_runs_on_the_hub() -> None:
    assert configuration(HUB)[0]["options"]["disable"] == ["kube-scheduler", "kwok-controller"]
    assert "disable" not in configuration("us")[0]["options"]


def test_every_stage_of_pods_leaves_engines_to_the_node_runner() -> None:
    stages = [document for document in configuration("us") if document["kind"] == "Stage"]
    of_pods = [s for s in stages if s["spec"]["resourceRef"]["kind"] == "Pod"]
    assert len(of_pods) == 3
    for stage in of_pods:
        first = stage["spec"]["selector"]["matchExpressions"][0]
        assert "vllm/vllm-openai" in first["key"]
        assert first["operator"] == "DoesNotExist"


def started(path: str, *argv: str) -> int:
    return os.posix_spawn(path, argv, os.environ, setsid=True)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for folder in ("bin", "pids"):
        (tmp_path / folder).mkdir()
    (tmp_path / "bin" / "etcd").symlink_to("/bin/sleep")
    return tmp_path


async def test_a_component_is_known_by_its_program_and_not_by_its_pid_alone(home: Path) -> None:
    program = str(home / "bin" / "etcd")
    pid = started("/bin/sleep", program, "60")
    file = home / "pids" / "etcd.pid"
    file.write_text(str(pid))
    # A process that has only just been started shows no command yet.
    await until(lambda: kwok.component(home, file))
    found = kwok.component(home, file)
    assert found == procfs.find(pid)
    file.write_text(str(os.getpid()))
    assert kwok.component(home, file) is None
    assert found is not None
    await procfs.kill([found])


@pytest.mark.parametrize("text", ["", "no number", str(2**22 - 1)])
def test_a_pid_file_without_a_running_process_is_no_component(home: Path, text: str) -> None:
    file = home / "pids" / "etcd.pid"
    file.write_text(text)
    assert kwok.component(home, file) is None
