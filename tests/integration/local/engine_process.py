"""The local engine as a process of its own, on a free port of loopback."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from fleet.testing.apiserver import free_port

STARTING_SECONDS = 30.0
ENDING_SECONDS = 20.0


class EngineProcess:
    """`python -m cli.local.engine serve`; what it says is kept in a file."""

    def __init__(self, home: Path, *flags: str, **environ: str) -> None:
        self.port, self.log = free_port(), home / "engine.log"
        command = ["serve", "org/phi", "--served-model-name", "phi", "--host", "127.0.0.1"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli.local.engine", *command, f"--port={self.port}", *flags],
                env={**os.environ, **environ},
                stdout=log,
                stderr=log,
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def await_health(self) -> None:
        deadline = time.monotonic() + STARTING_SECONDS
        while not self.healthy():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise TimeoutError(self.log.read_text(encoding="utf-8"))
            time.sleep(0.02)

    def healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health").is_success
        except httpx.TransportError:
            return False

    def tell(self, **fault: Any) -> None:
        """Switch a fault on, or off again."""
        httpx.post(f"{self.url}/-/fault", json=fault).raise_for_status()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal it, unless it has ended; give its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(ENDING_SECONDS)


@contextmanager
def engine_process(home: Path, *flags: str, **environ: str) -> Iterator[EngineProcess]:
    """Run an engine that answers, for as long as a test needs it."""
    engine = EngineProcess(home, *flags, **environ)
    try:
        engine.await_health()
        yield engine
    finally:
        engine.process.kill()
        engine.process.wait()
