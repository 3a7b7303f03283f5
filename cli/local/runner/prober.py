"""Asks running containers how they are, each when its probe says, and no more often."""

import asyncio
from collections.abc import Callable

import aiohttp

from cli.local.procfs import Process
from cli.local.runner.pods import Container, HttpGet, Probe, TcpSocket
from cli.local.runner.probing import UNKNOWN, Health, Probing, answered, begin

_GOOD = range(200, 400)
Changed = Callable[[], None]


class Asker:
    """Asks once, as a probe says; the answer is what was wrong, "" where nothing was."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, probe: Probe, container: Container, address: str) -> str:
        try:
            async with asyncio.timeout(probe.timeout_seconds):
                if probe.http_get:
                    return await self._get(probe.http_get, container, address)
                if probe.tcp_socket:
                    return await _connect(probe.tcp_socket, container, address)
        except TimeoutError:
            return f"no answer within {probe.timeout_seconds} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return str(error) or type(error).__name__
        return "the local node runs no commands in containers: use httpGet or tcpSocket"

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    async def _get(self, get: HttpGet, container: Container, address: str) -> str:
        host, port = get.host or address, _port(get.port, container)
        url = f"{get.scheme.lower()}://{host}:{port}/{get.path.removeprefix('/')}"
        headers = {header.name: header.value for header in get.http_headers}
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        async with self._session.get(url, headers=headers, ssl=False) as response:
            good = response.status in _GOOD
            return "" if good else f"HTTP probe failed with statuscode: {response.status}"


class Prober:
    """Follows the health of processes, and calls `changed` when there is something new."""

    def __init__(self) -> None:
        self._asker = Asker()
        self._tasks: dict[Process, asyncio.Task[None]] = {}
        self._health: dict[Process, Health] = {}

    def health(self, process: Process) -> Health:
        return self._health.get(process, UNKNOWN)

    def watch(
        self,
        process: Process,
        container: Container,
        address: str,
        changed: Changed,
        known: Health | None = None,
    ) -> None:
        """Begin to probe, with what was `known` of a process that has run before."""
        if process in self._tasks:
            return
        loop = asyncio.get_running_loop()
        probing = begin(container, loop.time(), known)
        self._health[process] = probing.health

        async def follow(now: Probing = probing) -> None:
            while coming := now.next():
                kind, at = coming
                await asyncio.sleep(at - loop.time())
                failure = await self._asker.ask(now.probes[kind], container, address)
                before, now = now, answered(now, kind, failure, loop.time())
                if now.health != before.health:
                    self._health[process] = now.health
                    changed()

        self._tasks[process] = loop.create_task(follow())

    def forget(self, process: Process) -> None:
        self._health.pop(process, None)
        if task := self._tasks.pop(process, None):
            task.cancel()

    async def close(self) -> None:
        for process in tuple(self._tasks):
            self.forget(process)
        await self._asker.close()


async def _connect(socket: TcpSocket, container: Container, address: str) -> str:
    _, writer = await asyncio.open_connection(socket.host or address, _port(socket.port, container))
    writer.close()
    return ""


def _port(port: int | str, container: Container) -> int:
    """Find a port by its number or its name."""
    if isinstance(port, int):
        return port
    for one in container.ports:
        if one.name == port:
            return one.container_port
    raise ValueError(f"the container has no port {port}")
