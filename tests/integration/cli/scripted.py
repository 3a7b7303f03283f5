"""A small HTTP server on loopback: it says what a test wrote down, and keeps what it heard."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

GATE_SECONDS = 20.0


class Gate(threading.Event):
    """Where a stream waits until the test lets it go on."""


CUT = object()
"""Where a stream breaks off."""


@dataclass(frozen=True, slots=True)
class Reply:
    parts: Sequence[object]
    """Bytes to send, gates to wait at, CUT to break off."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Scripted:
    """Gives one reply after the other, and the last of them for ever."""

    port: int
    replies: list[Reply]
    heard: list[dict[str, Any]] = field(default_factory=list)
    """Headers, in small letters, and body of every request."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def next(self) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def event(data: object) -> bytes:
    return b"data: %b\n\n" % json.dumps(data).encode()


def said(text: str) -> bytes:
    """Give a chunk of a chat."""
    return event({"choices": [{"index": 0, "delta": {"content": text}}]})


DONE = b"data: [DONE]\n\n"


def stream(*parts: object, **headers: str) -> Reply:
    """Give a stream; `region` is the region that it says it comes from."""
    named = {"content-type": "text/event-stream"}
    if region := headers.get("region"):
        named["x-modelfleet-region"] = region
    return Reply(parts, headers=named)


def refusal(status: int, message: str, **headers: str) -> Reply:
    body = {"error": {"message": message, "type": "x", "param": None, "code": status}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply([json.dumps(body).encode()], status, named | {"content-type": "application/json"})


@contextmanager
def scripted(*replies: Reply, port: int = 0) -> Iterator[Scripted]:
    """Serve until the test is over."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    server.script = Scripted(server.server_address[1], list(replies))  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.script  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def _answer(self, body: Any) -> None:
        script: Scripted = self.server.script  # type: ignore[attr-defined]
        headers = {name.lower(): value for name, value in self.headers.items()}
        script.heard.append({"path": self.path, "headers": headers, "body": body})
        reply = script.next()
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.send_header("connection", "close")
        self.end_headers()
        if all(map(self._send, reply.parts)):
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def _send(self, part: object) -> bool:
        if isinstance(part, Gate):
            return part.wait(GATE_SECONDS)
        if isinstance(part, bytes):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
            self.wfile.flush()
        return part is not CUT

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the test looks at what was heard."""
