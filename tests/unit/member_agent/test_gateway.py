"""Whether a member's gateway takes requests: asked of the gateway itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest

from fleet.api.cluster import GatewayStatus
from fleet.testing.waiting import until
from member_agent.gateway import Address, GatewayProbe, readiness_url

URL = "http://127.0.0.1:8080/v1"


class Gateway:
    """A gateway that may be away or say no."""

    def __init__(self) -> None:
        self.status: int | None = 200
        self.asked = list[str]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        if self.status is None:
            raise httpx.ConnectError("connection refused", request=request)
        return httpx.Response(self.status)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self))


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.mark.parametrize(
    ("url", "probe"),
    [
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/readyz"),
        ("https://gateway.us.example/v1", "https://gateway.us.example/readyz"),
        ("https://gateway.us.example", "https://gateway.us.example/readyz"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/readyz"),
    ],
)
def test_the_probe_stands_beside_the_api(url: str, probe: str) -> None:
    assert readiness_url(url) == probe


def test_a_gateway_is_not_ready_before_it_was_asked() -> None:
    assert GatewayProbe(Address(URL)).status() == GatewayStatus(url=URL, ready=False)


def test_a_member_without_a_gateway_reports_none() -> None:
    assert GatewayProbe(Address()).status() is None


async def test_every_change_is_told_once(gateway: Gateway) -> None:
    probe, heard = GatewayProbe(Address(URL), client=gateway.client), list[bool]()

    def listen() -> None:
        status = probe.status()
        heard.append(status is not None and status.ready)

    probe.on_change(listen)
    async with gateway.client() as client:
        for status in (200, 200, 503, None, 404, 200):
            gateway.status = status
            await probe.look(client)
    assert heard == [True, False, False, False, True]
    assert set(gateway.asked) == {"http://127.0.0.1:8080/readyz"}


@asynccontextmanager
async def running(probe: GatewayProbe) -> AsyncIterator[None]:
    task = asyncio.create_task(probe.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_the_agent_asks_by_itself(gateway: Gateway) -> None:
    probe = GatewayProbe(Address(URL), client=gateway.client)
    async with running(probe):
        await until(lambda: probe.status() == GatewayStatus(url=URL, ready=True))


async def test_nobody_is_asked_where_there_is_no_gateway(gateway: Gateway) -> None:
    probe = GatewayProbe(Address(), client=gateway.client)
    async with running(probe):
        for _ in range(3):
            await asyncio.sleep(0)
    assert gateway.asked == []
