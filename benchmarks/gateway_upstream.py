"""An engine that costs next to nothing: `python -m benchmarks.gateway_upstream PORT [PORT…]`.

One thread on bare sockets, so that a gateway is measured and not what is behind it. It answers
chats at once, whole or, where `"stream": true` is asked for, as events that come one by one.
"""

import heapq
import json
import re
import select
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Final

WORDS: Final = 50
"""Events of a stream that have content."""
WORD_SECONDS: Final = 0.02
"""Between two of them."""
LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
END: Final = b"\r\n\r\n"
LAST: Final = b"data: [DONE]\n\n"
STREAMS: Final = re.compile(rb'"stream": ?true')
TEXT: Final = "abcdef " * 90
BODY_END: Final = b'"prompt_logprobs": null}'
READ_BYTES: Final = 256 * 1024


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _event(delta: object, reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m1"}
    return b"data: " + json.dumps(head | {"choices": [choice]}).encode() + b"\n\n"


def _whole(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % len(body) + body


def _completion() -> bytes:
    message = {"role": "assistant", "content": TEXT, "tool_calls": []}
    usage = {"prompt_tokens": 77, "total_tokens": 205, "completion_tokens": 128}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m1",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": usage,
        "prompt_logprobs": None,
    }
    return json.dumps(body).encode()


ANSWER: Final = _whole(_completion())
ALIVE: Final = _whole(b'{"object": "list", "data": []}')
WORD: Final = _chunk(_event({"content": " word"}))
STREAM_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)
STREAM_END: Final = _chunk(_event({}, "stop") + LAST) + b"0\r\n\r\n"


def complete(data: bytes) -> bool:
    """Tell whether a request is whole, its body included."""
    head = data.find(END)
    if head < 0:
        return False
    length = LENGTH.search(data, 0, head + 2)
    return len(data) >= head + len(END) + (int(length[1]) if length else 0)


@dataclass(slots=True)
class Engine:
    ports: tuple[int, ...]
    _poll: select.epoll = field(default_factory=select.epoll)
    _listeners: dict[int, socket.socket] = field(default_factory=dict)
    _clients: dict[int, socket.socket] = field(default_factory=dict)
    _partly: dict[int, bytes] = field(default_factory=dict)
    _streams: list[tuple[float, int, int]] = field(default_factory=list)
    """When the next word of which client is due, and how many are left."""

    def run(self) -> None:
        for port in self.ports:
            listener = socket.create_server(("127.0.0.1", port), backlog=4096)
            listener.setblocking(False)
            self._listeners[listener.fileno()] = listener
            self._poll.register(listener, select.EPOLLIN)
        while True:
            for number, _ in self._poll.poll(self._pause()):
                if number in self._listeners:
                    self._accept(self._listeners[number])
                else:
                    self._read(number)
            self._speak(time.monotonic())

    def _pause(self) -> float:
        return max(0.0, self._streams[0][0] - time.monotonic()) if self._streams else 1.0

    def _accept(self, listener: socket.socket) -> None:
        client, _ = listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clients[client.fileno()] = client
        self._poll.register(client, select.EPOLLIN)

    def _read(self, number: int) -> None:
        client = self._clients[number]
        try:
            data = client.recv(READ_BYTES)
        except ConnectionError:
            data = b""
        if not data:
            self._close(number)
            return
        data = self._partly.pop(number, b"") + data
        if complete(data):
            self._answer(number, client, data)
        else:
            self._partly[number] = data

    def _answer(self, number: int, client: socket.socket, data: bytes) -> None:
        if data.startswith(b"GET"):
            client.send(ALIVE)
        elif STREAMS.search(data):
            client.send(STREAM_HEAD + WORD)
            due = time.monotonic() + WORD_SECONDS
            heapq.heappush(self._streams, (due, number, WORDS - 1))
        else:
            client.send(ANSWER)

    def _speak(self, now: float) -> None:
        while self._streams and self._streams[0][0] <= now:
            due, number, left = heapq.heappop(self._streams)
            client = self._clients.get(number)
            if client is None:
                continue
            try:
                client.send(WORD if left else STREAM_END)
            except OSError:
                self._close(number)
                continue
            if left:
                heapq.heappush(self._streams, (due + WORD_SECONDS, number, left - 1))

    def _close(self, number: int) -> None:
        self._partly.pop(number, None)
        self._poll.unregister(number)
        self._clients.pop(number).close()


if __name__ == "__main__":
    Engine(tuple(map(int, sys.argv[1:]))).run()
