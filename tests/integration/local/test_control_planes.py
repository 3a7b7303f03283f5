"""One region of a local fleet with its hub: real control planes, real provisioning."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.local import binaries, kwok, procfs, take_down
from cli.local.binaries import Binaries
from cli.local.bring_up import BringUp, Parts
from cli.local.errors import LocalError
from cli.local.kubectl import Kubectl
from cli.local.progress import Progress
from cli.local.registry import Registry
from cli.local.status import api_ready
from cli.local.topology import HUB, MARK, Fleet
from cli.local.waiting import until
from fleet.catalog.catalogue import load

A100 = "standard-nc24ads-a100-v4"
SECONDS = 60.0


class Region:
    """A fleet of a hub and `us`, without our own programs."""

    def __init__(self, fleet: Fleet, programs: Binaries, crds: Path) -> None:
        self.fleet, self.us = fleet, Kubectl.of(fleet, "us", programs)
        self._parts = Parts(
            fleet=fleet, binaries=programs, catalogue=load(), crds=crds, progress=Progress()
        )

    async def up(self) -> None:
        await BringUp(self._parts).control_planes()

    def component(self, name: str) -> procfs.Process:
        process = kwok.components(self.fleet, "us")[name]
        assert process is not None
        return process

    async def kill(self, name: str) -> None:
        os.kill(self.component(name).pid, signal.SIGKILL)
        await self.until(lambda: self.gone(name))

    async def gone(self, name: str) -> bool:
        return kwok.components(self.fleet, "us")[name] is None

    async def items(self, *arguments: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.us.get(*arguments))["items"]
        return found

    async def until(self, met: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        async def asked() -> bool:
            try:
                return await met()
            except LocalError:
                return False

        assert await until(asked, deadline=SECONDS)


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    folder = tmp_path_factory.mktemp("fleets")
    registry = Registry(folder)
    fleet = registry.create(f"test-{os.getpid()}", ("us",))
    programs = asyncio.run(binaries.provide(os.environ, Progress()))
    made = Region(fleet, programs, folder)
    try:
        asyncio.run(made.up())
        yield made
    finally:
        asyncio.run(take_down.take_down(fleet, Progress()))
        registry.forget(fleet.name)
    assert not procfs.marked(MARK, fleet.mark())
    assert not fleet.home.exists()


def claim(name: str) -> dict[str, Any]:
    requirements = {
        "node.kubernetes.io/instance-type": "Standard_NC24ads_A100_v4",
        "karpenter.sh/capacity-type": "on-demand",
    }
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodeClaim",
        "metadata": {"name": name, "labels": {"karpenter.sh/nodepool": A100}},
        "spec": {
            "nodeClassRef": {"group": "karpenter.kwok.sh", "kind": "KWOKNodeClass", "name": A100},
            "requirements": [
                {"key": key, "operator": "In", "values": [value]}
                for key, value in requirements.items()
            ],
            "resources": {"requests": {"nvidia.com/gpu": "1"}},
            "taints": [{"key": "sku", "value": "gpu", "effect": "NoSchedule"}],
        },
    }


def pod(name: str, image: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "containers": [{"name": "main", "image": image}],
            "tolerations": [{"key": "sku", "operator": "Exists"}],
            "terminationGracePeriodSeconds": 0,
        },
    }


async def test_a_claim_becomes_a_gpu_node_that_pods_run_on_and_goes_with_it(
    region: Region,
) -> None:
    await region.us.apply([claim("one")])

    async def there() -> bool:
        """Pods that come before the node would have Karpenter make another one."""
        labels = [node["metadata"]["labels"] for node in await region.items("nodes")]
        return any(found.get("karpenter.sh/initialized") == "true" for found in labels)

    await region.until(there)
    await region.us.apply([pod("web", "nginx"), pod("engine", "vllm/vllm-openai:v1")])

    async def running() -> bool:
        (web,) = [p for p in await region.items("pods") if p["metadata"]["name"] == "web"]
        return bool(web["status"]["phase"] == "Running")

    await region.until(running)
    (node,) = await region.items("nodes")
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "1"
    assert node["metadata"]["labels"]["topology.kubernetes.io/region"] == "centralus"
    (engine,) = [p for p in await region.items("pods") if p["metadata"]["name"] == "engine"]
    assert engine["status"]["phase"] == "Pending"

    await region.us.run("delete", "pod/web", "pod/engine", "nodeclaim/one", "--wait=false")
    await region.us.run("delete", "pod/engine", "--force", "--ignore-not-found")

    async def nothing_left() -> bool:
        return not await region.items("nodes") and not await region.items("nodeclaims")

    await region.until(nothing_left)


async def test_brought_up_again_nothing_is_started_anew(region: Region) -> None:
    before = kwok.components(region.fleet, "us")
    await region.up()
    assert kwok.components(region.fleet, "us") == before


@pytest.mark.parametrize("component", ["kube-apiserver", "etcd", "kwok-controller"])
async def test_a_killed_component_comes_back_with_its_data(region: Region, component: str) -> None:
    await region.us.run("create", "namespace", f"kept-{component}")
    await region.kill(component)
    await region.up()
    assert not await region.gone(component)
    assert await api_ready(region.fleet, "us")
    await region.us.run("delete", "namespace", f"kept-{component}", "--wait=false")


async def test_a_lost_region_answers_no_more_and_returns_with_its_data(region: Region) -> None:
    await take_down.lose(region.fleet, "us")
    assert not await api_ready(region.fleet, "us")
    assert await api_ready(region.fleet, HUB)
    assert not procfs.marked(MARK, region.fleet.mark("us"))
    await region.up()
    assert await api_ready(region.fleet, "us")
    assert A100 in [pool["metadata"]["name"] for pool in await region.items("nodepools")]


async def test_an_interrupted_creation_is_made_anew(region: Region) -> None:
    await take_down.lose(region.fleet, "us")
    (region.fleet.cluster_home("us") / "made-by-modelfleet").unlink()
    await region.up()
    assert await api_ready(region.fleet, "us")


async def test_control_planes_listen_on_the_loopback_interface_alone(region: Region) -> None:
    pids = {p.pid for p in kwok.components(region.fleet, "us").values() if p}
    assert len(pids) == 5
    for ports in kwok.ports_of(region.fleet, "us").values():
        for port in ports:
            assert procfs.listener(port)
