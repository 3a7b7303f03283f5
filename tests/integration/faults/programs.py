"""Programs as processes that start at once, and that a test may kill and start again."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from fleet.testing.waiting import until


class Nursery:
    """Where programs come from."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process, self._turn = process, Lock()

    def fork(self, module: str, log: Path, environ: Mapping[str, str]) -> int:
        """Start a program, and give its pid; a pipe has one reader at a time."""
        wanted = {"module": module, "log": str(log), "environ": dict(environ)}
        assert self._process.stdin
        assert self._process.stdout
        with self._turn:
            self._process.stdin.write(json.dumps(wanted) + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())


@contextmanager
def nursery() -> Iterator[Nursery]:
    """Have programs to fork; with the end of the block, or of this process, they end too."""
    command = [sys.executable, "-m", "tests.integration.faults.nursery"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Nursery(process)


class Forked:
    """`python -m <module>`."""

    def __init__(self, home: Nursery, module: str, log: Path, environ: Mapping[str, str]) -> None:
        self._home, self.module, self.log, self.environ = home, module, log, environ
        self._pid = 0

    async def start(self, waiting_for: str, *, times: int = 1) -> None:
        """Start it, and wait until it has said these words so often."""
        before = self.said(waiting_for)
        await self.launch()
        await until(lambda: self.said(waiting_for) >= before + times or not self.alive)
        assert self.alive, self.words()[-2000:]

    async def launch(self) -> None:
        self._pid = await asyncio.to_thread(self._home.fork, self.module, self.log, self.environ)

    @property
    def alive(self) -> bool:
        if not self._pid:
            return False
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return False
        return True

    def words(self) -> str:
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def said(self, words: str) -> int:
        """Count how often these words are in the log."""
        return self.words().count(words)

    async def kill(self) -> None:
        if self._pid:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            await until(lambda: not self.alive)
            self._pid = 0
