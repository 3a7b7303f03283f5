"""The composition root of the control process."""

import asyncio
import errno
import logging
import os
import signal
import socket
from pathlib import Path

from fleet.kube.config import Connection, from_environment
from fleet.kube.errors import KubeError
from fleet.kube.watcher import Watcher
from fleet.runtime import health
from fleet.runtime.metrics import exposition
from gateway.control import state
from gateway.control.broadcast import Broadcast
from gateway.control.probe import Prober
from gateway.control.watch import follow_file, follow_fleet, follow_pods
from gateway.keys import WatchedFile, secrets_in
from gateway.link import Table
from gateway.settings import Scope, Settings
from gateway.snapshot import Snapshot
from gateway.tls import Trust

RETRY_SECONDS = 5.0
OUTGOING_SECONDS = 10.0
"""Beside a successor that has to start: new workers learn their routes from either."""
log = logging.getLogger(__name__)


class Credential:
    """The fleet's credential as its file has it now."""

    def __init__(self, path: str) -> None:
        self._file = WatchedFile(path) if path else None
        self._secret = ""

    def __call__(self) -> str:
        if self._file and (text := self._file.changed()) is not None:
            self._secret = next(iter(secrets_in(text)), "")
        return self._secret


class Control:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._state = Path(settings.state_file) if settings.state_file else None
        self._last: Snapshot | None = None
        self._broadcast = Broadcast()
        self._prober = Prober(
            self._broadcast.tell,
            Credential(settings.fleet_credential_file),
            seconds=settings.probe_seconds,
            timeout=settings.probe_timeout_seconds,
            tls=Trust(settings.upstream_ca_file, settings.credentials_dir).renewed,
        )

    async def run(self, link: socket.socket, life: int) -> None:
        """Tell workers what there is, from the last run's state first; ends with the supervisor."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, loop.call_later, OUTGOING_SECONDS, stop.set)
        loop.add_reader(life, stop.set)
        if self._state and (last := state.load(self._state)):
            self._tell(last)
        parts = (
            self._broadcast.serve(link),
            self._prober.run(),
            self._follow(),
            self._tell_health(),
        )
        tasks = [asyncio.ensure_future(part) for part in parts]
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for error in results:
            if isinstance(error, Exception):
                raise error

    async def _tell_health(self) -> None:
        """Answer probes and Prometheus for all processes, as soon as a predecessor lets us."""
        while True:
            try:
                async with health.serving(self._settings.health_listen, self._missing, self._page):
                    await asyncio.get_running_loop().create_future()
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                await asyncio.sleep(RETRY_SECONDS / 10)

    def _missing(self) -> str:
        if not self._broadcast.routed:
            return "routes"
        return "" if self._broadcast.census.workers else "workers"

    async def _page(self) -> bytes:
        return await self._broadcast.census.page() + exposition()

    def publish(self, snapshot: Snapshot) -> None:
        """Route by this from now on, if it is new."""
        if snapshot == self._last:
            return
        self._tell(snapshot)
        if self._state:
            state.save(self._state, snapshot)
        services = len(snapshot.services)
        endpoints = sum(len(service.endpoints) for service in snapshot.services)
        log.info("new routes", extra={"services": services, "endpoints": endpoints})

    def _tell(self, snapshot: Snapshot) -> None:
        self._last = snapshot
        self._broadcast.tell(Table(snapshot))
        self._prober.aim(snapshot)

    async def _follow(self) -> None:
        if self._settings.config_file:
            await follow_file(Path(self._settings.config_file), state.configured, self.publish)
            return
        if self._settings.snapshot_file:
            await follow_file(Path(self._settings.snapshot_file), state.load, self.publish)
            return
        watcher = Watcher(await _connection())
        try:
            if self._settings.scope is Scope.GLOBAL:
                await follow_fleet(watcher, self.publish)
            else:
                region = self._settings.region or self._settings.cluster
                await follow_pods(watcher, self.publish, region)
        finally:
            await watcher.close()


async def _connection() -> Connection:
    """Find the API server; without one the last routes go on serving."""
    while True:
        try:
            return from_environment(os.environ)
        except KubeError as error:
            log.warning("no API server", extra={"why": str(error)})
            await asyncio.sleep(RETRY_SECONDS)
