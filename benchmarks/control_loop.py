"""How long a change takes on its way: a placement to its member, a Workspace to its engine's pod.

Starts a small local fleet of its own (a hub and one member), measures, and takes it down again:

    python -m benchmarks.control_loop [-o json]

Times are milliseconds from our write being sent to our watch seeing the effect, p50 and p95.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.sight import Sight
from fleet.api import names
from fleet.api.conditions import find
from fleet.api.core import ConfigMap, Namespace, StatefulSet
from fleet.api.karpenter import NodeClaim
from fleet.api.keys import Key
from fleet.api.objects import Metadata
from fleet.api.placement import ClusterResourcePlacement
from fleet.api.work import Work
from fleet.api.workspace import Workspace
from fleet.kube.cache import Cache
from fleet.kube.client import ApiClient
from fleet.kube.config import from_kubeconfig

FLEET, MEMBER = "bench", "us"
STEP_SECONDS = 60.0
KUBEFLEET = {"work": 245, "object_in_member": 273, "applied": 285, "change_in_member": 15157}
"""p50 on two quiet cores, as measured once for the same steps."""


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Bench:
    hub: ApiClient
    member: ApiClient
    works: Sight
    objects: Sight
    claims: Sight
    sets: Sight


def main(
    output: Annotated[Output, typer.Option("--output", "-o")] = Output.TABLE,
    rounds: Annotated[int, typer.Option(help="Samples of each figure.")] = 20,
) -> None:
    """Measure the control loop on a local fleet of its own."""
    _modelfleet("up", "--members", MEMBER)
    try:
        samples = asyncio.run(_measure(rounds))
    finally:
        _modelfleet("down")
    figures = {name: _summary(values) for name, values in samples.items()}
    if output is Output.JSON:
        typer.echo(json.dumps(figures))
    else:
        _print(figures)


def _modelfleet(verb: str, *arguments: str) -> None:
    command = [sys.executable, "-m", "cli", "local", verb, "--fleet", FLEET, *arguments]
    subprocess.run(command, check=True, stdout=sys.stderr)


def _summary(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return {"p50_ms": round(statistics.median(ordered), 1), "p95_ms": round(p95, 1)}


def _print(figures: dict[str, dict[str, float]]) -> None:
    table = Table("step", "p50 ms", "p95 ms", "KubeFleet p50 ms", "ratio")
    for name, figure in figures.items():
        peer = KUBEFLEET.get(name)
        ratio = f"{figure['p50_ms'] / peer:.2f}" if peer else ""
        table.add_row(name, str(figure["p50_ms"]), str(figure["p95_ms"]), str(peer or ""), ratio)
    Console().print(table)


async def _measure(rounds: int) -> dict[str, list[float]]:
    samples: dict[str, list[float]] = {}
    async with _bench() as bench:
        for number in range(rounds):
            found = await _placement(bench, f"bench-{number}")
            found |= await _workspace(bench, f"bench-ws-{number}")
            for name, milliseconds in found.items():
                samples.setdefault(name, []).append(milliseconds)
            typer.echo(f"round {number + 1} of {rounds}", err=True)
    return samples


@asynccontextmanager
async def _bench() -> AsyncIterator[Bench]:
    clusters = {item["name"]: item["kubeconfig"] for item in _status()["clusters"]}
    hub = ApiClient(from_kubeconfig(clusters["hub"]), "benchmark")
    member = ApiClient(from_kubeconfig(clusters[MEMBER]), "benchmark")
    bench = Bench(
        hub=hub,
        member=member,
        works=Sight(Cache(Work, namespace=names.member_namespace(MEMBER))),
        objects=Sight(Cache(ConfigMap)),
        claims=Sight(Cache(NodeClaim)),
        sets=Sight(Cache(StatefulSet)),
    )
    watches = [
        asyncio.create_task(client.follow(sight.cache))
        for client, sight in (
            (hub, bench.works),
            (member, bench.objects),
            (member, bench.claims),
            (member, bench.sets),
        )
    ]
    try:
        async with asyncio.timeout(STEP_SECONDS):
            for sight in (bench.works, bench.objects, bench.claims, bench.sets):
                await sight.cache.filled.wait()
        yield bench
    finally:
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
        await hub.close()
        await member.close()


def _status() -> Any:
    command = [sys.executable, "-m", "cli", "local", "status", "--fleet", FLEET, "-o", "json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


async def _placement(bench: Bench, name: str) -> dict[str, float]:
    """Place a namespace with a ConfigMap, then change the ConfigMap."""
    data = _config_map(name, "1")
    await bench.hub.create(Namespace(metadata=Metadata(name=name)))
    await bench.hub.create(data)
    work = bench.works.expect(lambda seen: seen.name == names.work_name(name))
    there = bench.objects.expect(_holds(name, "1"))
    applied = bench.works.expect(_applied(name))
    placement = ClusterResourcePlacement.model_validate(
        {
            "metadata": {"name": name},
            "spec": {
                "resourceSelectors": [
                    {"group": "", "version": "v1", "kind": "Namespace", "name": name}
                ],
                "policy": {"placementType": "PickAll"},
            },
        }
    )
    start = time.perf_counter()
    placement = await bench.hub.create(placement)
    found = {
        "work": await _since(start, work),
        "object_in_member": await _since(start, there),
        "applied": await _since(start, applied),
    }
    changed = bench.objects.expect(_holds(name, "2"))
    start = time.perf_counter()
    await bench.hub.apply(_config_map(name, "2"), force=True)
    return found | {"change_in_member": await _since(start, changed)}


async def _workspace(bench: Bench, name: str) -> dict[str, float]:
    """Create a Workspace on the member, and delete it again once it has its pod."""
    await bench.member.create(Namespace(metadata=Metadata(name=name)))
    claim = bench.claims.expect(lambda seen: seen.metadata.labels.get(names.WORKSPACE) == name)
    pods = bench.sets.expect(lambda seen: seen.key == Key(name, name))
    workspace = Workspace.model_validate(
        {
            "metadata": {"name": name, "namespace": name},
            "resource": {
                "instanceType": "Standard_NC24ads_A100_v4",
                "labelSelector": {"matchLabels": {"apps": name}},
            },
            "inference": {"preset": {"name": "phi-4-mini-instruct"}},
        }
    )
    start = time.perf_counter()
    created = await bench.member.create(workspace)
    found = {"nodeclaim": await _since(start, claim), "statefulset": await _since(start, pods)}
    await _gone(bench, created)
    return found


async def _gone(bench: Bench, workspace: Workspace) -> None:
    """Delete it and wait for its claim's end: the node has to be free for the next one."""
    claims = bench.claims.cache
    gone = bench.claims.expect(
        lambda seen: (
            seen.metadata.labels.get(names.WORKSPACE) == workspace.name
            and claims.get(seen.key) is None
        )
    )
    await bench.member.delete(workspace)
    await asyncio.wait_for(gone, STEP_SECONDS)


async def _since(start: float, seen: "asyncio.Future[float]") -> float:
    return (await asyncio.wait_for(seen, STEP_SECONDS) - start) * 1000


def _config_map(namespace: str, value: str) -> ConfigMap:
    return ConfigMap(metadata=Metadata(name="data", namespace=namespace), data={"value": value})


def _holds(namespace: str, value: str) -> Callable[[Any], bool]:
    return lambda seen: seen.key == Key(namespace, "data") and seen.data.get("value") == value


def _applied(name: str) -> Callable[[Any], bool]:
    def applied(seen: Any) -> bool:
        condition = find(seen.status.conditions, "Applied")
        return (
            seen.name == names.work_name(name)
            and condition is not None
            and condition.true
            and condition.observed_generation == seen.metadata.generation
        )

    return applied


if __name__ == "__main__":
    typer.run(main)
