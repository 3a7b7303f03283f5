"""What the local fleet costs: seconds to the first answer, memory, and CPU while nothing happens.

Starts a whole fleet of its own (a hub and three regions), places the examples, asks, waits for
rest, measures, and takes it down again:

    python -m benchmarks.local_fleet [-o json]

Memory is the sum of PSS of all processes; CPU is what our own programs use, in per cent of one
core. Each figure stands beside what it may be, and the ratio of the two.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import openai
import psutil
import typer
from rich.console import Console
from rich.table import Table

from cli.local.topology import MARK

FLEET: Final = "footprint"
EXAMPLES: Final = Path(__file__).parents[1] / "examples"
MODELS: Final = ("phi-4-mini-instruct", "qwen2-7b")
DEADLINE_SECONDS, REST_SECONDS = 300.0, 30.0
GIB: Final = 2.0**30


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Figure:
    value: float
    limit: float
    unit: str

    @property
    def ratio(self) -> float:
        return round(self.value / self.limit, 2)


def main(
    output: Annotated[Output, typer.Option("--output", "-o")] = Output.TABLE,
    seconds: Annotated[float, typer.Option(help="For which the idle CPU is measured.")] = 60.0,
) -> None:
    """Measure a local fleet of its own.

    Example: python -m benchmarks.local_fleet -o json
    """
    started = time.monotonic()
    try:
        _modelfleet("up")
        figures = _measure(started, seconds)
    finally:
        _modelfleet("down")
    if output is Output.JSON:
        typer.echo(json.dumps({n: asdict(f) | {"ratio": f.ratio} for n, f in figures.items()}))
    else:
        _print(figures)


def _modelfleet(verb: str, *arguments: str) -> None:
    command = [sys.executable, "-m", "cli", "local", verb, "--fleet", FLEET, *arguments]
    subprocess.run(command, check=True, stdout=sys.stderr)


def _measure(started: float, seconds: float) -> dict[str, Figure]:
    for example in ("phi-4-mini.yaml", "model-deployment.yaml"):
        _modelfleet("kubectl", "hub", "--", "apply", "-f", str(EXAMPLES / example))
    client = _client()
    _answers(client, MODELS[0])
    first = time.monotonic() - started
    _answers(client, MODELS[1])
    time.sleep(REST_SECONDS)
    fleet = list(_processes())
    ours, planes = _cpu(fleet, seconds)
    memory = sum(process.memory_full_info().pss for process in fleet) / GIB
    return {
        "first_answer": Figure(round(first, 1), 90.0, "s"),
        "memory": Figure(round(memory, 2), 4.0, "GiB"),
        "idle_cpu_of_ours": Figure(round(ours, 2), 5.0, "% of a core"),
        "idle_cpu_of_ours_beside_control_planes": Figure(
            round(ours, 2), round(planes, 2), "% of a core"
        ),
    }


def _client() -> openai.OpenAI:
    command = [sys.executable, "-m", "cli", "local", "status", "--fleet", FLEET, "-o", "json"]
    status: Any = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    gateway = status["gateway"]
    return openai.OpenAI(base_url=gateway["url"], api_key=gateway["key"], max_retries=0)


def _answers(client: openai.OpenAI, model: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": "hello"}], max_tokens=8
            )
        except openai.APIError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def _processes() -> Iterator[psutil.Process]:
    """Find all that the fleet started, by the mark in their environment."""
    for process in psutil.process_iter():
        try:
            if f"/{FLEET}:" in process.environ().get(MARK, ""):
                yield process
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue


def _cpu(fleet: list[psutil.Process], seconds: float) -> tuple[float, float]:
    """Measure our own programs, which are Python's, and the control planes with Karpenter."""
    before = {process.pid: _used(process) for process in fleet}
    time.sleep(seconds)
    shares = {True: 0.0, False: 0.0}
    for process in fleet:
        is_ours = "python" in process.exe()
        shares[is_ours] += 100 * (_used(process) - before[process.pid]) / seconds
    return shares[True], shares[False]


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _print(figures: dict[str, Figure]) -> None:
    table = Table("figure", "measured", "beside", "unit", "ratio")
    for name, figure in figures.items():
        value, limit = str(figure.value), str(figure.limit)
        table.add_row(name, value, limit, figure.unit, str(figure.ratio))
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
