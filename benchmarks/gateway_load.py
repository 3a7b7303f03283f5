"""Clients that cost next to nothing: `python -m benchmarks.gateway_load PORT SHAPE SECONDS`.

SHAPE is `most` (64 clients that ask again at once), `steady` (200 requests a second) or `streams`
(100 at a time). Prints one JSON object.
"""

import json
import select
import socket
import statistics
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Final

from benchmarks.gateway_upstream import BODY_END, READ_BYTES

KEY: Final = "sk-1234"
CLIENTS: Final = {"most": 64, "steady": 32, "streams": 100}
RATE: Final = 200
"""Requests a second of `steady`."""
STAGGER_SECONDS: Final = 0.01
"""Between the starts of streams."""
WARM_SHARE: Final = 0.3
"""Of the time, that does not count."""
CONTENT: Final = b'{"content": '
LAST_CHUNK: Final = b"0\r\n\r\n"
OK: Final = b"HTTP/1.1 200"


def request(*, stream: bool) -> bytes:
    say = "Please summarise the following paragraph: " + "lorem ipsum dolor sit amet " * 8
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": say}]
    asked = {"model": "m1", "messages": messages, "temperature": 0.7, "max_tokens": 128}
    body = json.dumps(asked | {"stream": stream}).encode()
    head = (
        "POST /v1/chat/completions HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Authorization: Bearer {KEY}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*head, "", "")).encode() + body


@dataclass(slots=True)
class Result:
    seconds: float = 0.0
    answers: int = 0
    failed: int = 0
    chunks: int = 0
    p50_us: float = 0.0
    """Of whole answers, after the start."""
    ttft_p50_us: float = 0.0


@dataclass(slots=True)
class Client:
    sock: socket.socket
    asked: float = 0.0
    begun: bool = False
    first: bool = False
    """Something to show has come."""
    tail: bytes = b""


@dataclass(slots=True)
class Load:
    port: int
    shape: str
    seconds: float
    result: Result = field(default_factory=Result)
    _took: list[float] = field(default_factory=list)
    _first: list[float] = field(default_factory=list)
    _idle: deque[Client] = field(default_factory=deque)
    _warm: float = 0.0
    _request: bytes = b""

    def run(self) -> Result:
        poll = select.epoll()
        clients = {}
        for _ in range(CLIENTS[self.shape]):
            sock = socket.create_connection(("127.0.0.1", self.port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            poll.register(sock, select.EPOLLIN)
            clients[sock.fileno()] = Client(sock)
        self._request = request(stream=self.shape == "streams")
        self._idle.extend(clients.values())
        began = time.monotonic()
        self._warm, end = began + WARM_SHARE * self.seconds, began + self.seconds
        due, step = began, {"most": 0.0, "steady": 1 / RATE, "streams": STAGGER_SECONDS}[self.shape]
        while (now := time.monotonic()) < end:
            while self._idle and due <= now:
                self._ask(self._idle.popleft(), due if self.shape == "steady" else now)
                due += step
            for number, _ in poll.poll(max(0.0, due - now) if self._idle else 0.1):
                self._read(clients[number])
        self._sum(time.monotonic() - began)
        return self.result

    def _ask(self, client: Client, now: float) -> None:
        client.asked, client.begun, client.first, client.tail = now, False, False, b""
        client.sock.send(self._request)

    def _read(self, client: Client) -> None:
        data = client.sock.recv(READ_BYTES)
        if not data:
            raise SystemExit("the gateway closed a connection")
        if not client.begun:
            client.begun = True
            self.result.failed += not data.startswith(OK)
        if chunks := data.count(CONTENT):
            self.result.chunks += chunks
            if not client.first:
                client.first = True
                self._note(self._first, client)
        ending = client.tail + data[-len(BODY_END) :]
        client.tail = ending[-len(BODY_END) :]
        if client.tail == BODY_END or ending.endswith(LAST_CHUNK):
            self._answered(client)

    def _answered(self, client: Client) -> None:
        self.result.answers += 1
        self._note(self._took, client)
        if self.shape == "most":
            self._ask(client, time.monotonic())
        else:
            self._idle.append(client)

    def _note(self, times: list[float], client: Client) -> None:
        now = time.monotonic()
        if now >= self._warm:
            times.append(now - client.asked)

    def _sum(self, seconds: float) -> None:
        self.result.seconds = seconds
        self.result.p50_us = 1e6 * statistics.median(self._took or [0.0])
        self.result.ttft_p50_us = 1e6 * statistics.median(self._first or [0.0])


if __name__ == "__main__":
    port, shape, seconds = sys.argv[1:]
    sys.stdout.write(json.dumps(asdict(Load(int(port), shape, float(seconds)).run())))
