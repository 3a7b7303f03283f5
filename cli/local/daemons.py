"""Processes that outlive the command: each in a session of its own, with a log and a pid file."""

import os
import signal
import ssl
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import msgspec

from cli.local import procfs
from cli.local.errors import DeadError, DeadlineError, PortInUseError
from cli.local.topology import MARK, Fleet
from cli.local.waiting import until

_SHOWN_LINES: Final = 12
_SHOWN_CHARACTERS: Final = 200
_PROBE_SECONDS = 2.0
# posix_spawn cannot change the folder; `exec` makes the shell's pid the program's.
_IN_FOLDER: Final = ("/bin/sh", "-c", 'cd "$0" && exec "$@"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """A program of the fleet: how it is started, and how one knows that it is ready."""

    name: str
    cluster: str = ""
    """Whose region it is lost with; "" for what belongs to none."""
    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    health: str = ""
    """URL that answers 200 when it is ready; without one it is ready when it runs."""
    outlived: bool = False
    """Whether what it started goes on without it, and is taken up when it starts again."""


class _PidFile(msgspec.Struct):
    pid: int
    started: str
    cluster: str = ""


def python(module: str) -> tuple[str, ...]:
    """Return the command for a program of ours."""
    return (sys.executable, "-m", module)


class Daemons:
    """Starts and ends daemons of a fleet, and says which of them run."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def process(self, name: str) -> procfs.Process | None:
        """Return the running process; a pid that now belongs to another program is none."""
        known = self._read(name)
        process = procfs.Process(known.pid, known.started) if known else None
        return process if process and procfs.alive(process) else None

    def running(self, cluster: str | None = None) -> dict[str, procfs.Process]:
        """Return those that run, of one cluster or all, by name; from their pid files alone."""
        known = {file.stem: self._read(file.stem) for file in self._fleet.pids.glob("*.json")}
        wanted = [n for n, record in known.items() if record and cluster in (None, record.cluster)]
        return {name: process for name in wanted if (process := self.process(name))}

    def _read(self, name: str) -> _PidFile | None:
        try:
            return msgspec.json.decode(self._pid_file(name).read_bytes(), type=_PidFile)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def log(self, name: str) -> Path:
        return self._fleet.logs / f"{name}.log"

    async def start(self, daemon: Daemon) -> None:
        """Start it unless it runs.

        Raises PortInUseError with the name of who listens on one of its ports.
        """
        if self.process(daemon.name):
            return
        if not daemon.outlived:
            # Workers of an earlier one that was killed still hold its port.
            await procfs.kill(procfs.marked(MARK, self._mark(daemon)))
        for port in daemon.ports:
            if holder := await procfs.holder(port):
                raise PortInUseError(f"port {port} of {daemon.name} is in use by {holder}")
        pid = self._spawn(daemon)
        process = procfs.find(pid) or procfs.Process(pid, "")
        record = _PidFile(process.pid, process.started, daemon.cluster)
        self._pid_file(daemon.name).write_bytes(msgspec.json.encode(record))

    def _spawn(self, daemon: Daemon) -> int:
        inherited = {k: v for k, v in os.environ.items() if k not in _NOT_INHERITED}
        environ = {**inherited, **_FOR_ALL, **daemon.environ, MARK: self._mark(daemon)}
        log, flags = self.log(daemon.name), os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return os.posix_spawn(
            _IN_FOLDER[0],
            [*_IN_FOLDER, str(self._fleet.home), *daemon.argv],
            environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGHUP],
        )

    async def wait_ready(self, daemon: Daemon, *, deadline: float) -> None:
        """Wait until it is ready.

        Raises DeadError with the end of its log, DeadlineError after so many seconds.
        """
        if not await until(partial(self._ready_or_dead, daemon), deadline=deadline):
            said = (await ask(daemon.health)).text
            where = f"{daemon.health} is not ready within {deadline:.0f} s ({said})"
            raise DeadlineError(f"{daemon.name}: {where}; see {self.log(daemon.name)}")

    async def _ready_or_dead(self, daemon: Daemon) -> bool:
        if await self.ready(daemon):
            return True
        if not self.process(daemon.name):
            raise DeadError(f"{daemon.name} ended while starting:\n{self._end(daemon)}")
        return False

    async def ready(self, daemon: Daemon) -> bool:
        if not self.process(daemon.name):
            return False
        return not daemon.health or (await ask(daemon.health)).ready

    def forget(self, names: Iterable[str]) -> None:
        for name in names:
            self._pid_file(name).unlink(missing_ok=True)

    def _mark(self, daemon: Daemon) -> str:
        return self._fleet.mark(daemon.cluster, daemon.name)

    def _pid_file(self, name: str) -> Path:
        return self._fleet.pids / f"{name}.json"

    def _end(self, daemon: Daemon) -> str:
        with suppress(FileNotFoundError):
            lines = self.log(daemon.name).read_text(errors="replace").splitlines()
            return "\n".join(lines[-_SHOWN_LINES:])
        return f"no log at {self.log(daemon.name)}"


_NOT_INHERITED: Final = frozenset({"KUBECONFIG"})
_FOR_ALL: Final[Mapping[str, str]] = {
    # All that they talk to is on this machine.
    "NO_PROXY": "*",
    "no_proxy": "*",
    "PYTHONSAFEPATH": "1",
    "PYTHONUNBUFFERED": "1",
}


@dataclass(frozen=True, slots=True)
class Answer:
    ready: bool
    text: str
    """What it waits for, if it says so."""


async def ask(url: str, *, authority: Path | None = None) -> Answer:
    """Ask a program of this machine once whether it is ready."""
    trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authority:
        trusted.load_verify_locations(authority)
    async with httpx.AsyncClient(verify=trusted, trust_env=False, timeout=_PROBE_SECONDS) as client:
        try:
            response = await client.get(url)
        except httpx.HTTPError as error:
            return Answer(ready=False, text=str(error) or type(error).__name__)
    return Answer(response.status_code == httpx.codes.OK, response.text[:_SHOWN_CHARACTERS].strip())
