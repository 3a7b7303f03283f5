"""`python -m gateway` with all its processes, on a free port, its routes in a file."""

import asyncio
import os
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import httpx
import msgspec
import psutil

from fleet.testing.apiserver import free_port
from fleet.testing.waiting import until
from gateway.snapshot import Endpoint, Service, Snapshot

MODEL, SERVICE, KEY = "llama", "team/llama", "client-key"
HEADERS = {"authorization": f"Bearer {KEY}"}
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}


class Place(Protocol):
    """Where a model is served."""

    @property
    def url(self) -> str: ...


class Gateway:
    """One gateway; what it says is in `log`."""

    def __init__(self, home: Path, workers: int, trust: bytes = b"") -> None:
        self.home, self.count = home, workers
        self._trust = trust.decode()
        """Authority of the certificate that it shows, as PEM; plain HTTP where empty."""
        self.port = free_port()
        self.snapshot, self.state, self.keys = home / "routes", home / "state", home / "keys"
        self.log = home / "log"
        self.environ = {
            "PATH": os.environ["PATH"],
            # What is installed is tested, which is not what lies here where that is compiled.
            "PYTHONSAFEPATH": "1",
            "HOME": str(home),
            "GATEWAY_LISTEN": f"127.0.0.1:{self.port}",
            "GATEWAY_WORKERS": str(workers),
            "GATEWAY_SNAPSHOT_FILE": str(self.snapshot),
            "GATEWAY_STATE_FILE": str(self.state),
            "GATEWAY_CLIENT_KEYS_FILE": str(self.keys),
        }
        self.keys.write_text(sha256(KEY.encode()).hexdigest())
        self.supervisor: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self._trust else 'http'}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.supervisor is not None
        return self.supervisor.pid

    def route(self, *upstreams: Place) -> None:
        """Route the model to these."""
        self.route_to(
            Endpoint(f"team/{number}", each.url, region=f"r{number}")
            for number, each in enumerate(upstreams)
        )

    def route_to(self, endpoints: Iterable[Endpoint], *, continues: bool = False) -> None:
        """Write the routes as a whole, as whoever writes them has to."""
        service = Service(SERVICE, (MODEL,), tuple(endpoints), continues=continues)
        new = self.home / "new"
        new.write_bytes(msgspec.json.encode(Snapshot((service,))))
        new.replace(self.snapshot)

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.supervisor = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gateway", stderr=log, env=self.environ
            )

    async def ready(self) -> None:
        """Wait until every worker serves."""
        await until(lambda: len(self.workers()) == self.count)
        tls = ssl.create_default_context(cadata=self._trust) if self._trust else True
        async with httpx.AsyncClient(timeout=60, verify=tls) as http:

            async def serves() -> bool:
                with suppress(httpx.TransportError):
                    return (await http.get(f"{self.url}/readyz")).is_success
                return False

            await until(serves)

    def pids(self, name: str) -> set[int]:
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.pid).children()
            return {child.pid for child in children if name in _arguments(child)}
        return set()

    def workers(self) -> set[int]:
        return self.pids("gateway.worker")

    def control(self) -> set[int]:
        return self.pids("gateway.control")

    def tell(self, number: int) -> None:
        os.kill(self.pid, number)

    async def ended(self) -> int:
        assert self.supervisor is not None
        async with asyncio.timeout(60):
            return await self.supervisor.wait()

    async def end(self) -> None:
        if self.supervisor and self.supervisor.returncode is None:
            self.tell(signal.SIGTERM)
            await self.ended()


def _arguments(process: psutil.Process) -> Sequence[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return ()


@asynccontextmanager
async def gateway(
    home: Path, *upstreams: Place, workers: int = 2, trust: bytes = b"", **settings: str
) -> AsyncIterator[Gateway]:
    """Run a gateway that routes the model to these upstreams."""
    made = Gateway(home, workers, trust)
    made.environ.update({f"GATEWAY_{name}".upper(): value for name, value in settings.items()})
    made.route(*upstreams)
    try:
        await made.start()
        await made.ready()
        yield made
    finally:
        await made.end()


async def answers(gateway: Gateway, http: httpx.AsyncClient) -> httpx.Response:
    return await http.post(f"{gateway.url}/v1/chat/completions", json=CHAT, headers=HEADERS)
