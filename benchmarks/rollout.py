"""What the hub adds to a staged rollout, and how soon a cluster follows upon another.

Starts an API server and a hub for each size of fleet, lets members join that report each Work as
available after a while, rolls a changed ConfigMap out in stages, and takes all down again:

    python -m benchmarks.rollout [-o json] [--clusters 10 --clusters 100]

What the hub adds is what the run took, less what its members would have taken alone, for each
cluster. A gap is from a cluster's readiness, as its member has reported it, until the next
cluster's member sees its Work. Growth is what the hub adds, compared with the smallest fleet.
"""

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import psutil
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.members import PATIENCE_SECONDS, Members, Span, member
from benchmarks.rollout_times import gaps, own
from benchmarks.sight import Sight
from benchmarks.startup import Bench, end
from fleet.api.binding import ClusterResourceBinding
from fleet.api.conditions import find
from fleet.api.core import ConfigMap, Event, Namespace
from fleet.api.objects import Metadata
from fleet.api.placement import ClusterResourcePlacement
from fleet.api.snapshot import ClusterResourceSnapshot
from fleet.api.staged_update import ClusterStagedUpdateRun, ClusterStagedUpdateStrategy
from fleet.kube.cache import Cache
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import api_server
from fleet.testing.kinds import install
from fleet.testing.waiting import until

NAME: Final = "bench"
"""Of the namespace that is placed, its ConfigMap and its placement."""
STAGE: Final = "stage"
"""Label by which clusters are divided."""
STAGES, PERCENT = 20, 50
AT_ONCE = {"name": "all", "labelSelector": {}, "maxConcurrency": "100%"}
ADDED_MS, GAP_MS = 30.0, 1000.0
"""What the hub may add for a cluster, and the longest gap."""
QUIET_SECONDS = 1.0
"""In which the hub tells something, if there is something left to tell."""
SILENCE = {"HUB_HEARTBEAT_TIMEOUT_SECONDS": "3600"}
"""Nobody sends heartbeats here."""


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Figure:
    clusters: int
    seconds: float
    members_seconds: float
    added_ms: float
    added_ratio: float
    """To what it may be."""
    gap_p50_ms: float
    gap_p95_ms: float
    gap_max_ms: float
    gap_ratio: float
    """Of the longest, to what it may be."""
    hub_cpu_ms: float
    """For each cluster."""
    growth: float = 1.0


@dataclass(frozen=True, slots=True)
class Fleet:
    client: ApiClient
    members: Members
    bindings: Cache[ClusterResourceBinding]
    snapshots: Cache[ClusterResourceSnapshot]
    runs: Sight
    hub: psutil.Process


def main(
    output: Annotated[Output, typer.Option("--output", "-o")] = Output.TABLE,
    clusters: Annotated[list[int] | None, typer.Option(help="Sizes of fleet.", min=1)] = None,
    member_ms: Annotated[float, typer.Option(help="That a member takes.", min=0)] = 200.0,
) -> None:
    """Measure staged rollouts over fleets of several sizes.

    Example: python -m benchmarks.rollout -o json --clusters 10
    """
    found = [_figure(size, member_ms / 1000) for size in clusters or (10, 100, 300)]
    figures = [_grown(figure, found[0]) for figure in found]
    if output is Output.JSON:
        typer.echo(json.dumps([asdict(figure) for figure in figures]))
    else:
        _print(figures)


def _figure(clusters: int, member_seconds: float) -> Figure:
    typer.echo(f"rolling out over {clusters} clusters", err=True)
    with tempfile.TemporaryDirectory() as home, api_server(os.environ) as server:
        return asyncio.run(_measure(Bench(Path(home), server), clusters, member_seconds))


async def _measure(bench: Bench, clusters: int, member_seconds: float) -> Figure:
    await install(bench.server)
    async with _fleet(bench, member_seconds) as fleet:
        await _place(fleet, clusters)
        await _run(fleet, "first", "at-once")
        await _change(fleet)
        await _told(fleet)
        fleet.members.spans.clear()
        used = fleet.hub.cpu_times()
        seconds = await _run(fleet, "second", "staged")
        now = fleet.hub.cpu_times()
    cpu = now.user + now.system - used.user - used.system
    return _summary(fleet.members, clusters, seconds, cpu)


@asynccontextmanager
async def _fleet(bench: Bench, member_seconds: float) -> AsyncIterator[Fleet]:
    bench.environ |= SILENCE
    hub = await bench.run(bench.hub())
    client = ApiClient(bench.server.connection(), "people")
    members = Members(client.as_manager("agents"), member_seconds)
    bindings, snapshots = Cache(ClusterResourceBinding), Cache(ClusterResourceSnapshot)
    runs = Cache(ClusterStagedUpdateRun)
    watches = (client.follow(cache) for cache in (bindings, snapshots, runs))
    tasks = [asyncio.create_task(call) for call in (members.run(), *watches)]
    try:
        yield Fleet(client, members, bindings, snapshots, Sight(runs), psutil.Process(hub.pid))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await client.close()
        await end(hub)


async def _place(fleet: Fleet, clusters: int) -> None:
    """Have as many members, and a placement that waits for a run to go to them."""
    client = fleet.client
    members = [
        member(_name(number), {STAGE: f"s{_stage_of(number, clusters)}"})
        for number in range(clusters)
    ]
    await asyncio.gather(*map(client.create, members))
    await client.create(Namespace(metadata=Metadata(name=NAME)))
    await client.apply(_config_map("1"), force=True)
    selector = {"group": "", "version": "v1", "kind": "Namespace", "name": NAME}
    spec = {"resourceSelectors": [selector], "strategy": {"type": "External"}}
    placement = {"metadata": {"name": NAME}, "spec": spec}
    await client.create(ClusterResourcePlacement.model_validate(placement))
    await client.create(_strategy("at-once", [AT_ONCE]))
    await client.create(_strategy("staged", [_stage(number) for number in range(STAGES)]))

    await until(lambda: len(fleet.bindings) == clusters, seconds=PATIENCE_SECONDS)


def _name(number: int) -> str:
    return f"c{number:03}"


def _stage_of(number: int, clusters: int) -> int:
    return number * STAGES // clusters


def _stage(number: int) -> dict[str, Any]:
    name = f"s{number}"
    labels = {"matchLabels": {STAGE: name}}
    return {"name": name, "labelSelector": labels, "maxConcurrency": f"{PERCENT}%"}


def _strategy(name: str, stages: list[dict[str, Any]]) -> ClusterStagedUpdateStrategy:
    shape = {"metadata": {"name": name}, "spec": {"stages": stages}}
    return ClusterStagedUpdateStrategy.model_validate(shape)


async def _change(fleet: Fleet) -> None:
    """Change what is placed, and wait until there is a snapshot of it."""
    await fleet.client.apply(_config_map("2"), force=True)

    await until(lambda: len(fleet.snapshots) > 1, seconds=PATIENCE_SECONDS)


async def _told(fleet: Fleet) -> None:
    """Wait until the hub has told of all that came before, the members that joined above all."""
    before = -1
    while (now := len((await fleet.client.list(Event)).items)) != before:
        before = now
        await asyncio.sleep(QUIET_SECONDS)


def _config_map(value: str) -> ConfigMap:
    return ConfigMap(metadata=Metadata(name="data", namespace=NAME), data={"value": value})


async def _run(fleet: Fleet, name: str, strategy: str) -> float:
    """Roll out by a strategy; give the seconds until the run says that it is done."""
    spec = {"placementName": NAME, "stagedRolloutStrategyName": strategy, "state": "Run"}
    done = fleet.runs.expect(lambda run: run.name == name and _over(run))
    began = time.perf_counter()
    shape = {"metadata": {"name": name}, "spec": spec}
    await fleet.client.create(ClusterStagedUpdateRun.model_validate(shape))
    ended = await asyncio.wait_for(done, PATIENCE_SECONDS)
    return ended - began


def _over(run: ClusterStagedUpdateRun) -> bool:
    said = find(run.status.conditions, "Succeeded")
    if said and said.false:
        raise SystemExit(f"{run.name} failed: {said.message}")
    return bool(said and said.true)


def _summary(members: Members, clusters: int, seconds: float, cpu: float) -> Figure:
    stages: list[list[Span]] = [[] for _ in range(STAGES)]
    for number in range(clusters):
        stages[_stage_of(number, clusters)].append(members.spans[_name(number)])
    theirs, between = own(stages, PERCENT), sorted(gaps(stages, PERCENT))
    added = 1000 * (seconds - theirs) / clusters
    return Figure(
        clusters=clusters,
        seconds=round(seconds, 2),
        members_seconds=round(theirs, 2),
        added_ms=round(added, 1),
        added_ratio=round(added / ADDED_MS, 2),
        gap_p50_ms=round(1000 * statistics.median(between), 1),
        gap_p95_ms=round(1000 * between[round(0.95 * (len(between) - 1))], 1),
        gap_max_ms=round(1000 * between[-1], 1),
        gap_ratio=round(1000 * between[-1] / GAP_MS, 2),
        hub_cpu_ms=round(1000 * cpu / clusters, 1),
    )


def _grown(figure: Figure, smallest: Figure) -> Figure:
    return replace(figure, growth=round(figure.added_ms / smallest.added_ms, 2))


def _print(figures: list[Figure]) -> None:
    """Show each figure, with its ratio to what it may be."""
    table = Table("clusters", "seconds", "members", "added ms", "gap ms", "CPU ms", "growth")
    for figure in figures:
        added = f"{figure.added_ms} ({figure.added_ratio})"
        gap = f"{figure.gap_p50_ms} / {figure.gap_p95_ms} / {figure.gap_max_ms}"
        table.add_row(
            str(figure.clusters),
            str(figure.seconds),
            str(figure.members_seconds),
            added,
            f"{gap} ({figure.gap_ratio})",
            str(figure.hub_cpu_ms),
            str(figure.growth),
        )
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
