"""The engine as a process: wait as long as loading takes, listen, serve, end when told to."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable

from cli.local.engine.batch import Batch
from cli.local.engine.commandline import Options
from cli.local.engine.metrics import Metrics
from cli.local.engine.service import Routes
from cli.local.engine.serving import Serving
from cli.local.engine.settings import Settings
from cli.local.engine.wire import Connection
from fleet.runtime import clock

_BACKLOG = 1024
log = logging.getLogger(__name__)


def _crash() -> None:
    """End at once, as a killed engine does."""
    log.error("told to exit")
    logging.shutdown()
    os._exit(1)


class Engine:
    """Listens from when it is loaded until it is closed."""

    def __init__(
        self, options: Options, settings: Settings, *, fatal: Callable[[], None] = _crash
    ) -> None:
        metrics = Metrics(options.served[0])
        batch = Batch(options.max_num_seqs, settings.cache_tokens)
        self.serving = Serving(batch, metrics, settings)
        self._routes = Routes(options, self.serving, clock.now)
        self._options, self._settings, self._fatal = options, settings, fatal
        self._server: asyncio.Server

    async def start(self) -> tuple[str, int]:
        """Listen, and say where."""
        host = self._settings.bind or self._options.host
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self._routes, self._fatal),
            host,
            self._options.port,
            backlog=_BACKLOG,
        )
        address = self._server.sockets[0].getsockname()
        return address[0], address[1]

    async def close(self) -> None:
        """Take no more connections, and give running requests some time."""
        self._server.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.drain_seconds):
                await self.serving.batch.empty()


async def run(options: Options, settings: Settings) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    names = ", ".join(options.served)
    log.info("local engine without weights, standing in for %s as %s", options.model, names)
    if options.ignored:
        log.info("flags without a meaning here: %s", ", ".join(options.ignored))
    if await _told_within(told, settings.startup_seconds):
        return
    engine = Engine(options, settings)
    log.info("listening on http://%s:%d", *await engine.start())
    await told.wait()
    log.info("ending")
    await engine.close()


async def _told_within(told: asyncio.Event, seconds: float) -> bool:
    """Wait as long as loading takes, unless told to end."""
    try:
        async with asyncio.timeout(seconds):
            return await told.wait()
    except TimeoutError:
        return False
