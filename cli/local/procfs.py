"""What Linux knows about processes: who is alive, whose children they are, who listens."""

import os
import signal
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from cli.local.waiting import until

_PROC: Final = Path("/proc")
_LISTEN: Final = "0A"
# Fields of /proc/<pid>/stat, counted after the name in brackets.
_STATE, _STARTED = 0, 19
_DEAD_STATES: Final = frozenset("ZX")

_KILL_SECONDS, _LETTING_GO_SECONDS, _POLL_SECONDS = 10.0, 2.0, 0.02


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    started: str
    """Boot and clock tick: a pid that was given out again has another."""


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[_STATE] in _DEAD_STATES else fields


def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def find(pid: int) -> Process | None:
    """Identify a running process; a zombie is none."""
    fields = _stat(pid)
    return Process(pid, f"{_boot()}/{fields[_STARTED]}") if fields else None


def alive(process: Process) -> bool:
    return find(process.pid) == process


async def kill(processes: Iterable[Process]) -> None:
    """End processes at once, and wait until they are gone."""
    await end(list(processes), signal.SIGKILL, deadline=_KILL_SECONDS)


async def end(processes: Collection[Process], how: signal.Signals, *, deadline: float) -> bool:
    """Send a signal; return whether all are gone within so many seconds."""
    for process in filter(alive, processes):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, how)
    gone = await until(partial(_gone, processes), deadline=deadline, poll=_POLL_SECONDS)
    for process in processes:
        _reap(process.pid)
    return gone


async def _gone(processes: Collection[Process]) -> bool:
    return not any(map(alive, processes))


def _reap(pid: int) -> None:
    """Let go of a child of ours that has ended; of others' children nothing is left to do."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def executable(pid: int) -> str:
    """Return the first argument, "" for what is gone."""
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")[0].decode()
    except OSError:
        return ""


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal())


def marked(variable: str, prefix: str) -> list[Process]:
    """Return processes whose environment has the variable with a value that starts so."""
    wanted = f"{variable}={prefix}".encode()
    found = []
    for pid in _pids():
        with suppress(OSError):
            environ = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
            if any(entry.startswith(wanted) for entry in environ):
                found.append(find(pid))
    return [process for process in found if process]


def listener(port: int) -> str | None:
    """Say who listens on a port of this machine: `name (pid 1)`, or that someone does."""
    inodes = {inode for inode, listens in _sockets() if listens == port}
    if not inodes:
        return None
    for pid in _pids():
        if inodes & set(_open_sockets(pid)):
            name = Path(executable(pid)).name
            return f"{name} (pid {pid})"
    return "another user's process"


async def holder(port: int) -> str | None:
    """Say who listens on a port and goes on doing so: a killed process lets go in a moment."""

    async def is_free() -> bool:
        return listener(port) is None

    return None if await until(is_free, deadline=_LETTING_GO_SECONDS) else listener(port)


def _sockets() -> Iterator[tuple[str, int]]:
    for table in ("tcp", "tcp6"):
        with suppress(FileNotFoundError):
            for line in (_PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTEN:
                    yield fields[9], int(fields[1].rpartition(":")[2], 16)


def _open_sockets(pid: int) -> Iterator[str]:
    with suppress(OSError):
        for descriptor in (_PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                target = str(descriptor.readlink())
                if target.startswith("socket:["):
                    yield target[8:-1]
