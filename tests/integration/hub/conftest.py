"""A real API server with our kinds, and a hub as a process of its own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from fleet.testing.apiserver import ADMIN, ApiServer
from fleet.testing.fixtures import client, kinds, server
from fleet.testing.waiting import until

if TYPE_CHECKING:
    from asyncio.subprocess import Process

__all__ = ["client", "hub", "kinds", "server"]


class HubProcess:
    """`python -m hub` against a server; it may be killed and started again."""

    def __init__(self, kubeconfig: Path) -> None:
        self._kubeconfig = kubeconfig
        self._log = kubeconfig.with_name("hub.log")
        self.process: Process | None = None

    async def start(self) -> None:
        environ = {**os.environ, "KUBECONFIG": str(self._kubeconfig), "HUB_LOG_LEVEL": "INFO"}
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "hub", env=environ, stdout=log, stderr=log
            )
        lines = self.said("controller starts")
        await until(lambda: self.said("controller starts") > lines, seconds=20)

    def said(self, words: str) -> int:
        """Count the lines of the log with these words."""
        return self._log.read_text(encoding="utf-8").count(words)

    async def kill(self) -> None:
        if self.process and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def terminate(self) -> int:
        """Ask it to end; give its exit status."""
        if self.process is None:
            return 0
        if self.process.returncode is None:
            self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), 5)


@pytest.fixture
async def hub(kinds: ApiServer, tmp_path: Path) -> AsyncIterator[HubProcess]:
    path = tmp_path / "kubeconfig.yaml"
    path.write_text(yaml.safe_dump(_kubeconfig(kinds)), encoding="utf-8")
    running = HubProcess(path)
    await running.start()
    yield running
    await running.kill()


def _kubeconfig(server: ApiServer) -> dict[str, object]:
    cluster = {"server": server.url, "certificate-authority": server.ca_file}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "hub", "cluster": cluster}],
        "users": [{"name": ADMIN, "user": {"token": ADMIN}}],
        "contexts": [{"name": "hub", "context": {"cluster": "hub", "user": ADMIN}}],
        "current-context": "hub",
    }
