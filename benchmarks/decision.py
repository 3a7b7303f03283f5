"""What one decision costs: PickN with selectors, preferences and a spread over a whole fleet.

    python -m benchmarks.decision [-o json] [--clusters 1000 --clusters 100]

Ten clusters are picked out of ten zones, by four required terms of labels and properties, two
preferences and a spread over the zones, under taints. Selectors are evaluated inside the timing,
and every cluster's verdict is part of the result, though it is worded only when it is read; the
fleet's columns are kept up to date outside of it, which is timed as well, one heartbeat at a time.
The baseline is the plain loop over objects; both must decide the same.
"""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import plain
from fleet.api.cluster import MemberCluster
from fleet.api.placement import Policy
from fleet.catalog.catalogue import load
from fleet.engine.ask import Ask
from fleet.engine.decide import Decision, decide
from fleet.engine.fleet import Fleet
from fleet.engine.rules import Rules, rules_of
from fleet.engine.verdicts import Rejected
from fleet.runtime import clock

PICKS: Final = 10
ZONES: Final = 10
MOST_US: Final = {1000: 150.0, 100: 60.0}
"""What a decision may take, by clusters."""
MOST_HEARTBEAT_US: Final = 20.0
REPEATS: Final = 2000
BASELINE_REPEATS: Final = 5
CPU, NODES, COST = (
    "resources.kubernetes-fleet.io/available-cpu",
    "kubernetes-fleet.io/node-count",
    "kubernetes.azure.com/per-cpu-core-cost",
)


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Figure:
    clusters: int
    p50_us: float
    p95_us: float
    baseline_us: float
    heartbeat_us: float
    """To enter what one cluster reports into the columns."""

    @property
    def name(self) -> str:
        return f"pickn_{self.clusters}"


def main(
    output: Annotated[Output, typer.Option("--output", "-o")] = Output.TABLE,
    clusters: Annotated[list[int] | None, typer.Option(help="Sizes of fleet.", min=PICKS)] = None,
) -> None:
    """Measure decisions over fleets of several sizes.

    Example: python -m benchmarks.decision -o json --clusters 1000
    """
    figures = [figure(size) for size in clusters or (1000, 100)]
    if output is Output.JSON:
        typer.echo(json.dumps({each.name: _data(each) for each in figures}))
    else:
        _print(figures)


def figure(clusters: int) -> Figure:
    fleet, rules = Fleet(load(), fleet_of(clusters)), rules_of(policy())
    ask = Ask(rules=rules, now=clock.now(), limit=PICKS)
    same_as_plain(decide(ask, fleet), rules, fleet)
    times = _times(lambda: decide(ask, fleet), REPEATS)
    rows = fleet.rows()
    baseline = _times(lambda: plain.decide(rules, rows, PICKS), BASELINE_REPEATS)
    return Figure(
        clusters=clusters,
        p50_us=round(statistics.median(times), 1),
        p95_us=round(sorted(times)[round(0.95 * (len(times) - 1))], 1),
        baseline_us=round(statistics.median(baseline), 1),
        heartbeat_us=round(_heartbeats(fleet), 1),
    )


def same_as_plain(decision: Decision, rules: Rules, fleet: Fleet) -> None:
    """Hold a decision against the plain loop's, verdict by verdict: SystemExit if they differ."""
    wanted = decision.field.ask.limit or 0
    expected = plain.decide(rules, fleet.rows(), wanted)
    picks = [(c.cluster, *c.score[:2]) for c in decision.chosen if c.score]
    if picks != [(p.cluster, p.topology, p.affinity) for p in expected.picks]:
        raise SystemExit(f"decided {picks}, not {expected.picks}")
    others = {
        v.cluster: v.by if isinstance(v, Rejected) else v.score and tuple(v.score[:2])
        for v in decision.others()
    }
    if others != expected.others:
        raise SystemExit(f"judged {others}, not {expected.others}")


def _heartbeats(fleet: Fleet) -> float:
    """Let each cluster report twice, other numbers each time; give the median."""
    reports = [each for seed in (2, 3) for each in fleet_of(len(fleet), seed)]
    times = []
    for report in reports:
        began = time.perf_counter_ns()
        fleet.put(report)
        times.append((time.perf_counter_ns() - began) / 1000)
    return statistics.median(times)


def _times(call: Callable[[], object], repeats: int) -> list[float]:
    """Give microseconds."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter_ns()
        call()
        times.append((time.perf_counter_ns() - began) / 1000)
    return times


def fleet_of(clusters: int, seed: int = 1) -> list[MemberCluster]:
    """Make members that differ in numbers with the seed, and in nothing else."""
    random = Random(seed)  # noqa: S311
    return [_member(place, random) for place in range(clusters)]


def _member(place: int, random: Random) -> MemberCluster:
    now = clock.now().isoformat()
    labels = {
        "zone": f"zone-{place % ZONES}",
        "env": ("prod", "canary", "dev")[place % 3],
        "tier": ("gold", "silver")[place // 7 % 2],
    }
    properties = {NODES: random.randint(1, 60), COST: f"0.{random.randint(10, 99)}"}
    said = [
        {"type": kind, "status": "True", "reason": "Said", "lastTransitionTime": now}
        for kind in ("Joined", "Healthy")
    ]
    taints = [{"key": "reserved"}] if place % 11 == 0 else []
    taints += [{"key": "spot", "value": "true"}] if place % 5 == 0 else []
    return MemberCluster.model_validate(
        {
            "metadata": {"name": f"cluster-{place:04}", "labels": labels},
            "spec": {"identity": {"kind": "User", "name": "agent"}, "taints": taints},
            "status": {
                "properties": {
                    name: {"value": str(value), "observationTime": now}
                    for name, value in properties.items()
                },
                "resourceUsage": {"available": {"cpu": f"{random.randint(1, 64_000)}m"}},
                "agentStatus": [
                    {"type": "MemberAgent", "conditions": said, "lastReceivedHeartbeat": now}
                ],
            },
        }
    )


def policy() -> Policy:
    terms = [
        _term("prod", (CPU, "Ge", "8")),
        _term("prod", (NODES, "Gt", "20"), (COST, "Lt", "0.5")),
        _term("canary", (NODES, "Le", "30")),
        _term("dev", (CPU, "Gt", "32"), (COST, "Ne", "0.5")),
    ]
    liked = [
        {"weight": 20, "preference": {"labelSelector": {"matchLabels": {"tier": "gold"}}}},
        {"weight": 30, "preference": {"propertySorter": {"name": CPU, "sortOrder": "Descending"}}},
    ]
    affinity = {
        "requiredDuringSchedulingIgnoredDuringExecution": {"clusterSelectorTerms": terms},
        "preferredDuringSchedulingIgnoredDuringExecution": liked,
    }
    return Policy.model_validate(
        {
            "placementType": "PickN",
            "numberOfClusters": PICKS,
            "affinity": {"clusterAffinity": affinity},
            "topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 1}],
            "tolerations": [{"key": "spot", "operator": "Exists"}],
        }
    )


def _term(env: str, *properties: tuple[str, str, str]) -> dict[str, Any]:
    expressions = [{"name": n, "operator": o, "values": [bound]} for n, o, bound in properties]
    return {
        "labelSelector": {"matchLabels": {"env": env}},
        "propertySelector": {"matchExpressions": expressions},
    }


def _data(found: Figure) -> dict[str, float | None]:
    """Give it in microseconds, with what it may be where that is known."""
    return {
        "p50_us": found.p50_us,
        "p95_us": found.p95_us,
        "limit_us": MOST_US.get(found.clusters),
        "baseline_us": found.baseline_us,
        "heartbeat_us": found.heartbeat_us,
        "heartbeat_limit_us": MOST_HEARTBEAT_US,
    }


def _print(figures: list[Figure]) -> None:
    """Show each figure, with its ratio to what it may be."""
    table = Table("clusters", "p50 us", "p95 us", "plain loop us", "heartbeat us")
    for each in figures:
        most = MOST_US.get(each.clusters)
        ratio = f" ({each.p50_us / most:.2f})" if most else ""
        heartbeat = f"{each.heartbeat_us} ({each.heartbeat_us / MOST_HEARTBEAT_US:.2f})"
        shown = (each.clusters, f"{each.p50_us}{ratio}", each.p95_us, each.baseline_us, heartbeat)
        table.add_row(*map(str, shown))
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
