"""What scheduling takes on a real API server: one placement, a thousand at once, and heartbeats.

    python -m benchmarks.scheduling [-o json]

Starts an API server and a hub with its controllers placement and scheduling alone, plays the
members, and takes all down again. First placements are made one after the other: how long after
its creation is a placement's first binding seen? Then 1,000 placements that pick three clusters
each are posted at once, over 100 members: when are all 3,000 bindings there, and how many of the
hub's writes were answered 409? Last 1,000 members report each minute that nothing has changed:
what does the hub use for it, and does it list anything (its resync is put off)? The seconds depend
on what the machine does besides; CPU and counts hardly do.
"""

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.members import PATIENCE_SECONDS, heard, member
from benchmarks.sight import Sight
from benchmarks.startup import Bench, Program, cpu
from fleet.api import names
from fleet.api.binding import ClusterResourceBinding
from fleet.api.cluster import MemberCluster
from fleet.api.placement import ClusterResourcePlacement
from fleet.kube.cache import Cache
from fleet.kube.client import ApiClient
from fleet.runtime import clock
from fleet.testing.apiserver import REPLICAS, ApiServer, api_server, free_port
from fleet.testing.kinds import install
from fleet.testing.request_counts import answered
from fleet.testing.waiting import until

MEMBERS: Final = 100
PICKS: Final = 3
SINGLES: Final = 50
MOST_BINDING_MS, MOST_SECONDS, MOST_CONFLICTS, MOST_CPU = 40.0, 30.0, 0.01, 0.03
"""What may be: for one placement, for all at once, the share of 409, and the share of a core."""
RESTING_CPU: Final = 0.05
"""Seconds that a program uses in a second in which it has nothing to do."""
AT_A_TIME: Final = 50
"""Requests of ours that are under way together."""
CONFLICT: Final = 409
GROUPS: Final = tuple({kind.group() for kind in (MemberCluster, ClusterResourcePlacement)})


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Figures:
    binding_p50_ms: float
    """From a placement's creation until its first binding is seen."""
    placements: int
    bindings_seconds: float
    """From the first of the placements until the last of their bindings."""
    bindings_cpu_seconds: float
    writes: int
    """Of the hub, for these."""
    conflicts: int
    """Writes answered 409."""
    members: int
    heartbeats: int
    heartbeats_cpu: float
    """Share of a core, at one heartbeat a minute from each."""
    lists: int
    """Of KubeFleet's kinds, while heartbeats came."""


@dataclass(frozen=True, slots=True)
class World:
    server: ApiServer
    client: ApiClient
    bindings: Cache[ClusterResourceBinding]
    hub: int
    """Its pid."""
    members: dict[int, MemberCluster] = field(default_factory=dict)
    began: datetime = field(default_factory=clock.now)


def main(
    output: Annotated[Output, typer.Option("--output", "-o")] = Output.TABLE,
    placements: Annotated[int, typer.Option(help="Made at once.", min=1)] = 1000,
    members: Annotated[int, typer.Option(help="That send heartbeats.", min=MEMBERS)] = 1000,
    seconds: Annotated[float, typer.Option(help="For which they do.", min=1)] = 60.0,
) -> None:
    """Measure scheduling on an API server.

    Example: python -m benchmarks.scheduling -o json --placements 200 --seconds 10
    """
    with tempfile.TemporaryDirectory() as home, api_server(os.environ) as server:
        found = asyncio.run(_measure(Bench(Path(home), server), placements, members, seconds))
    if output is Output.JSON:
        typer.echo(json.dumps(asdict(found)))
    else:
        _print(found)


async def _measure(bench: Bench, placements: int, members: int, seconds: float) -> Figures:
    await install(bench.server)
    async with _world(bench) as world:
        await _join(world, range(MEMBERS))
        one = [await _one(world, f"single-{number}") for number in range(SINGLES)]
        at_once = await _at_once(world, placements)
        await _join(world, range(MEMBERS, members))
        beats = await _heartbeats(world, members, seconds)
    return Figures(
        binding_p50_ms=round(1000 * statistics.median(one), 1),
        placements=placements,
        members=members,
        **at_once,
        **beats,
    )


@asynccontextmanager
async def _world(bench: Bench) -> AsyncIterator[World]:
    bindings = Cache(ClusterResourceBinding)
    client = ApiClient(bench.server.connection(), "people")
    watching = asyncio.create_task(client.follow(bindings))
    try:
        async with bench.running(_hub(bench)) as hub:
            yield World(bench.server, client, bindings, hub.pid)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await client.close()


def _hub(bench: Bench) -> Program:
    """Let it be a user whose writes are audited: they are counted there."""
    listen = f"127.0.0.1:{free_port()}"
    kubeconfig = bench.home / "hub.yaml"
    shape = bench.server.kubeconfig(REPLICAS[0])
    kubeconfig.write_text(yaml.safe_dump(shape), encoding="utf-8")
    environ = {
        "HUB_HEALTH_LISTEN": listen,
        "HUB_RESYNC_SECONDS": "86400",
        "KUBECONFIG": str(kubeconfig),
    }
    arguments = ("--controllers", "placement,scheduling", "--heartbeat-timeout", "24h")
    return Program("hub", 5.0, environ, f"http://{listen}/readyz", arguments)


async def _join(world: World, numbers: Sequence[int]) -> None:
    async def join(number: int) -> None:
        world.members[number] = await world.client.create(member(f"member-{number:04}"))
        await _beat(world, number)

    typer.echo(f"{len(numbers)} members join", err=True)
    await _together([join(number) for number in numbers])


async def _beat(world: World, number: int) -> None:
    """Report that all is as it was."""
    await world.client.patch_status(world.members[number], heard(world.began))


async def _together(calls: Sequence[Any]) -> None:
    limit = asyncio.Semaphore(AT_A_TIME)

    async def bounded(call: Any) -> None:
        async with limit:
            await call

    await asyncio.gather(*map(bounded, calls))


async def _one(world: World, name: str) -> float:
    """Make a placement; give the seconds until its first binding is seen."""
    sight = Sight(world.bindings)
    seen = sight.expect(lambda binding: binding.metadata.labels.get(names.PARENT) == name)
    began = time.perf_counter()
    await world.client.create(_placement(name))
    return await asyncio.wait_for(seen, PATIENCE_SECONDS) - began


async def _at_once(world: World, placements: int) -> dict[str, Any]:
    typer.echo(f"{placements} placements at once", err=True)
    there, log = len(world.bindings), world.server.audit_log
    skipped, used, began = log.stat().st_size, cpu(world.hub), time.perf_counter()
    calls = [world.client.create(_placement(f"many-{number}")) for number in range(placements)]
    made = asyncio.create_task(_together(calls))
    wanted = there + placements * PICKS
    await until(lambda: len(world.bindings) >= wanted, seconds=PATIENCE_SECONDS)
    seconds = time.perf_counter() - began
    await made
    codes = _codes(log, skipped)
    return {
        "bindings_seconds": round(seconds, 1),
        "bindings_cpu_seconds": round(cpu(world.hub) - used, 1),
        "writes": len(codes),
        "conflicts": codes.count(CONFLICT),
    }


def _codes(log: Path, skipped: int) -> list[int]:
    """Read how the hub's writes were answered."""
    with log.open("rb") as lines:
        lines.seek(skipped)
        events = [msgspec.json.decode(line) for line in lines]
    return [int(event["responseStatus"]["code"]) for event in events]


async def _heartbeats(world: World, members: int, seconds: float) -> dict[str, Any]:
    """Let members report at even intervals, each once a minute."""
    typer.echo(f"{members} members report for {seconds:.0f} s", err=True)
    await _together([_beat(world, number) for number in range(members)])
    await _rest(world.hub)
    used, listed, began = cpu(world.hub), await _lists(world), time.monotonic()
    beats = round(members * seconds / 60)
    for beat in range(beats):
        await asyncio.sleep(max(0.0, began + beat * 60 / members - time.monotonic()))
        await _beat(world, beat % members)
    took = time.monotonic() - began
    return {
        "heartbeats": beats,
        "heartbeats_cpu": round((cpu(world.hub) - used) / took, 4),
        "lists": await _lists(world) - listed,
    }


async def _rest(pid: int) -> None:
    """Wait until a program has done what it had to do: who was silent meanwhile was missed."""

    async def rests() -> bool:
        used = cpu(pid)
        await asyncio.sleep(1)
        return cpu(pid) - used < RESTING_CPU

    await until(rests, seconds=PATIENCE_SECONDS)


async def _lists(world: World) -> int:
    """Count what was listed of KubeFleet's kinds since the server's start."""
    return sum([await answered(world.server, "LIST", group) for group in GROUPS])


def _placement(name: str) -> ClusterResourcePlacement:
    selector = {"group": "rbac.authorization.k8s.io", "version": "v1", "kind": "ClusterRole"}
    policy = {"placementType": "PickN", "numberOfClusters": PICKS}
    spec = {"resourceSelectors": [selector | {"name": "view"}], "policy": policy}
    return ClusterResourcePlacement.model_validate({"metadata": {"name": name}, "spec": spec})


def _print(found: Figures) -> None:
    """Show each figure, with its ratio to what it may be."""
    conflicts = found.conflicts / max(1, found.writes)
    table = Table("", "measured", "may be", "ratio")
    for what, measured, most in (
        ("placement to first binding, p50 ms", found.binding_p50_ms, MOST_BINDING_MS),
        (f"{found.placements} placements to bindings, s", found.bindings_seconds, MOST_SECONDS),
        ("share of writes answered 409", conflicts, MOST_CONFLICTS),
        (f"heartbeats of {found.members}, share of a core", found.heartbeats_cpu, MOST_CPU),
    ):
        table.add_row(what, f"{measured:g}", f"{most:g}", f"{measured / most:.2f}")
    table.add_row("lists while heartbeats came", str(found.lists), "0", "")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
