"""How soon a program is ready: seconds from its start until `/readyz` says ok.

Starts an API server of its own with 1,000 objects that a hub has made and reported on, starts each
program several times as a process, and ends it as soon as it is ready:

    python -m benchmarks.startup [-o json] [--rounds 5]

Python's bytecode is there, as it is in an image. CPU is what the program and its processes have
used until then; on a machine that does something else besides, it says more than the seconds do.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import psutil
import typer
import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.startup_objects import CLUSTER, fill, settled
from fleet.testing.apiserver import ADMIN, ApiServer, api_server, free_port
from fleet.testing.kinds import install

POLL_SECONDS: Final = 0.005
DEADLINE_SECONDS: Final = 120.0


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Program:
    """What is started, and until when it is to be ready."""

    module: str
    limit: float
    """Seconds."""
    environ: Mapping[str, str]
    ready: str
    """URL of its /readyz."""
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds until it was ready, and of CPU until then."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Figure:
    """Medians of several starts."""

    program: str
    seconds: float
    cpu_seconds: float
    limit: float
    ratio: float


@dataclass(slots=True)
class Bench:
    home: Path
    server: ApiServer
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kubeconfig = self.home / "kubeconfig.yaml"
        kubeconfig.write_text(yaml.safe_dump(self.server.kubeconfig()), encoding="utf-8")
        silent = {key: value for key, value in os.environ.items() if key != NO_BYTECODE}
        compiled = {"PYTHONPYCACHEPREFIX": str(self.home / "bytecode")}
        self.environ = silent | compiled | {"KUBECONFIG": str(kubeconfig)}

    def programs(self) -> tuple[Program, ...]:
        return (self.hub(), self._gateway(), self._agent())

    def hub(self) -> Program:
        listen = f"127.0.0.1:{free_port()}"
        return Program("hub", 2.0, {"HUB_HEALTH_LISTEN": listen}, f"http://{listen}/readyz")

    def _agent(self) -> Program:
        listen = f"127.0.0.1:{free_port()}"
        token = self._file("token", ADMIN)
        environ = {
            "MEMBER_AGENT_CLUSTER": CLUSTER,
            "MEMBER_AGENT_HUB_URL": self.server.url,
            "MEMBER_AGENT_HUB_CA_FILE": self.server.ca_file,
            "MEMBER_AGENT_HUB_TOKEN_FILE": token,
            "MEMBER_AGENT_HEALTH_LISTEN": listen,
        }
        return Program("member_agent", 2.0, environ, f"http://{listen}/readyz")

    def _gateway(self) -> Program:
        listen = f"127.0.0.1:{free_port()}"
        keys = self._file("keys", sha256(b"key").hexdigest())
        environ = {"GATEWAY_LISTEN": listen, "GATEWAY_CLIENT_KEYS_FILE": keys}
        return Program("gateway", 0.5, environ, f"http://{listen}/readyz")

    def _file(self, name: str, text: str) -> str:
        path = self.home / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    async def start(self, program: Program) -> Start:
        """Start it, wait until it is ready, and end it."""
        began = time.monotonic()
        async with self.running(program) as running:
            return Start(time.monotonic() - began, cpu(running.pid))

    async def _until_ready(self, program: Program, running: asyncio.subprocess.Process) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        async with httpx.AsyncClient(trust_env=False) as http:
            while not await _ready(http, program.ready):
                if time.monotonic() > deadline or running.returncode is not None:
                    raise SystemExit(f"{program.module} was not ready: see {self.log}")
                await asyncio.sleep(POLL_SECONDS)

    @asynccontextmanager
    async def running(self, program: Program) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run it for as long as the block does, from when it is ready."""
        running = await self.run(program)
        try:
            await self._until_ready(program, running)
            yield running
        finally:
            await end(running)

    async def run(self, program: Program) -> asyncio.subprocess.Process:
        environ = self.environ | dict(program.environ)
        command = (sys.executable, "-m", program.module, *program.arguments)
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *command, env=environ, stdout=log, stderr=log
            )

    @property
    def log(self) -> Path:
        return self.home / "log"


NO_BYTECODE: Final = "PYTHONDONTWRITEBYTECODE"


async def end(running: asyncio.subprocess.Process) -> None:
    if running.returncode is None:
        running.terminate()
    await running.wait()


async def _ready(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).is_success
    except httpx.TransportError:
        return False


def cpu(pid: int) -> float:
    """Give the seconds that a program and its processes have used."""
    program = psutil.Process(pid)
    times = [each.cpu_times() for each in (program, *program.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def main(
    output: Annotated[Output, typer.Option("--output", "-o")] = Output.TABLE,
    rounds: Annotated[int, typer.Option(help="Starts of each program.", min=1)] = 5,
) -> None:
    """Measure from start to ready, with 1,000 objects.

    Example: python -m benchmarks.startup -o json --rounds 3
    """
    with tempfile.TemporaryDirectory() as home, api_server(os.environ) as server:
        figures = asyncio.run(_measure(Bench(Path(home), server), rounds))
    if output is Output.JSON:
        typer.echo(json.dumps([asdict(figure) for figure in figures]))
    else:
        _print(figures)


async def _measure(bench: Bench, rounds: int) -> list[Figure]:
    await install(bench.server)
    hub = await bench.run(bench.hub())
    try:
        await fill(bench.server)
        await settled(bench.server)
    finally:
        await end(hub)
    return [await _figure(bench, program, rounds) for program in bench.programs()]


async def _figure(bench: Bench, program: Program, rounds: int) -> Figure:
    """Start it once more than counts: the first one compiles."""
    typer.echo(f"starting {program.module} {rounds} times", err=True)
    starts = [await bench.start(program) for _ in range(rounds + 1)][1:]
    seconds = statistics.median(start.wall for start in starts)
    return Figure(
        program=program.module,
        seconds=round(seconds, 2),
        cpu_seconds=round(statistics.median(start.cpu for start in starts), 2),
        limit=program.limit,
        ratio=round(seconds / program.limit, 2),
    )


def _print(figures: list[Figure]) -> None:
    table = Table("program", "seconds", "CPU seconds", "limit", "ratio")
    for figure in figures:
        values: list[Any] = list(asdict(figure).values())
        table.add_row(*map(str, values))
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
