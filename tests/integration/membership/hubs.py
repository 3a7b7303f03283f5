"""A hub as a process that all tests of a module share."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

START_SECONDS: Final = 120.0


@contextmanager
def running_hub(kubeconfig: Path, **settings: str) -> Iterator[None]:
    """Run a hub until the end, from when all its controllers work."""
    log = kubeconfig.with_name("hub.log")
    environ = {**os.environ, "KUBECONFIG": str(kubeconfig), **settings}
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub"], env=environ, stdout=file, stderr=file
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while "controller starts" not in (said := log.read_text(encoding="utf-8")):
            assert process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()
