"""Processes of pods: started in a session of their own, followed until they end, ended as groups.

They go on when the runner ends; one that starts later finds them by pid and start time.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cli.local import procfs
from cli.local.procfs import Process
from cli.local.runner.commands import Command

_KILLED_BY = 128
"""A shell's exit code of a process that a signal ended, less the signal."""


class Processes:
    def __init__(self) -> None:
        self._children: dict[Process, subprocess.Popen[bytes]] = {}
        self._descriptors: dict[Process, int] = {}

    def start(self, command: Command, folder: Path, log: Path) -> Process:
        """Start a process; an OSError says why it cannot be."""
        with log.open("ab") as output:
            child = subprocess.Popen(
                command.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=dict(command.environ),
                start_new_session=True,
            )
        process = procfs.find(child.pid) or Process(child.pid, "")
        self._children[process] = child
        return process

    def alive(self, process: Process) -> bool:
        """Tell whether it runs; a child of ours does so until the last of its threads has ended."""
        child = self._children.get(process)
        return _runs(child) if child else procfs.alive(process)

    def follow(self, process: Process, ended: Callable[[], None]) -> None:
        """Call `ended` once the process is gone; nothing is asked meanwhile."""
        if process in self._descriptors:
            return
        loop, descriptor = asyncio.get_running_loop(), self._descriptor(process)
        if descriptor is None:
            loop.call_soon(ended)  # It has ended since it was looked at: nobody else would tell.
            return
        self._descriptors[process] = descriptor
        loop.add_reader(descriptor, self._gone, process, ended)

    def exit_code(self, process: Process) -> int | None:
        """Give how a process of ours ended, as a shell says it; None where nobody saw it."""
        child = self._children.get(process)
        code = self._reap(child) if child else None
        return _KILLED_BY - code if code is not None and code < 0 else code

    def signal(self, process: Process, number: signal.Signals) -> None:
        """Signal the process and all that it started."""
        if self.alive(process):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)

    def forget(self, process: Process) -> None:
        """Let go of a process that has ended."""
        self._unfollow(process)
        if child := self._children.pop(process, None):
            self._reap(child)

    def close(self) -> None:
        """Follow nothing any more; what runs goes on."""
        for process in tuple(self._descriptors):
            self._unfollow(process)

    def _descriptor(self, process: Process) -> int | None:
        if self.alive(process):
            with suppress(ProcessLookupError):
                return os.pidfd_open(process.pid)
        return None

    def _gone(self, process: Process, ended: Callable[[], None]) -> None:
        self._unfollow(process)
        ended()

    def _unfollow(self, process: Process) -> None:
        descriptor = self._descriptors.pop(process, None)
        if descriptor is not None:
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)

    def _reap(self, child: subprocess.Popen[bytes]) -> int | None:
        """Take a child's exit code, and end first what it left in its group.

        As long as it is not reaped its pid, and so the group's, belongs to nobody else.
        """
        if child.returncode is None and not _runs(child):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
        return child.poll()


def _runs(child: subprocess.Popen[bytes]) -> bool:
    """Ask without reaping: until then the pid is the child's own."""
    if child.returncode is not None:
        return False
    return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
