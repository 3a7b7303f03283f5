"""A program of ours as a process of its own; a test may kill it and start it again."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from fleet.testing.waiting import until

END_SECONDS = 30.0
"""What a kubelet gives it; it asks for less."""


class ProgramProcess:
    """`python -m <module>`, with what it says in a file."""

    def __init__(self, module: str, log: Path, environ: Mapping[str, str], *arguments: str) -> None:
        self.log, self.environ = log, {**os.environ, **environ}
        self._command = (sys.executable, "-m", module, *arguments)
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, *, waiting_for: str = "controller starts", times: int = 1) -> None:
        """Start it, and wait until it has said these words so often."""
        before = self.said(waiting_for)
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self._command, env=self.environ, stdout=log, stderr=log
            )
        await until(lambda: self.said(waiting_for) >= before + times)

    def said(self, words: str) -> int:
        """Count the lines of the log with these words."""
        return self.log.read_text(encoding="utf-8").count(words) if self.log.exists() else 0

    async def kill(self) -> None:
        if self.process and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    def tell(self, number: int) -> None:
        """Send a signal: SIGSTOP to pause it, SIGCONT to let it go on."""
        assert self.process
        self.process.send_signal(number)

    async def ended(self) -> int:
        """Wait until it ends by itself; give its exit status."""
        assert self.process
        return await asyncio.wait_for(self.process.wait(), END_SECONDS)

    async def terminate(self) -> int:
        """Ask it to end; give its exit status."""
        if self.process is None:
            return 0
        if self.process.returncode is None:
            self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), END_SECONDS)
