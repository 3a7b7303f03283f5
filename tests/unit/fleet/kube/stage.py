"""An HTTP server on loopback that answers as a test says, and keeps what it was asked."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from fleet.kube.config import Connection
from fleet.kube.credentials import Credentials, Token
from fleet.kube.transport import Timeouts, Transport

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def status(code: int, **more: Any) -> web.Response:
    """Refuse as the API server does."""
    headers = more.pop("headers", None)
    body = {"kind": "Status", "status": "Failure", "code": code, "message": f"code {code}", **more}
    return web.json_response(body, status=code, headers=headers)


@dataclass
class Stage:
    """Answers one after the other, the last one for ever."""

    answers: list[Answer]
    asked: list[web.BaseRequest] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)

    def said(self, header: str) -> list[str]:
        return [request.headers.get(header, "") for request in self.asked]

    def paths(self) -> list[str]:
        return [request.path_qs for request in self.asked]


def always(answer: Callable[[], web.Response]) -> Answer:
    async def answered(_: web.BaseRequest) -> web.StreamResponse:
        return answer()

    return answered


@asynccontextmanager
async def staged(*answers: Answer) -> AsyncIterator[Stage]:
    stage = Stage(list(answers))
    runner = web.ServerRunner(web.Server(stage.answer), shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port, *_ = runner.addresses[0]
    stage.url = f"http://{host}:{port}"
    try:
        yield stage
    finally:
        await runner.cleanup()


@asynccontextmanager
async def transport(
    url: str, credentials: Credentials | None = None, timeouts: Timeouts | None = None
) -> AsyncIterator[Transport]:
    connection = Connection(server=url, credentials=credentials or Token())
    made = Transport(connection, timeouts=timeouts)
    try:
        yield made
    finally:
        await made.close()
