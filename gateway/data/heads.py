"""Heads of messages as bytes: what the gateway puts before a body, to either side."""

from http import HTTPStatus
from typing import Final

from gateway.policy.answers import Answer

STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"
REGION: Final = b"x-modelfleet-region"
UPSTREAM: Final = b"x-modelfleet-upstream"
ATTEMPTS: Final = b"x-modelfleet-attempts"
CLOSE: Final = b"connection: close\r\n"


def status_line(status: int) -> bytes:
    return STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def own(answer: Answer, *, keep_alive: bool, body: bool = True) -> bytes:
    """Write a whole answer of the gateway itself; to a HEAD request it has no body."""
    retry = b"retry-after: %d\r\n" % answer.retry_after if answer.retry_after else b""
    tries = b"%b: %d\r\n" % (ATTEMPTS, answer.attempts) if answer.attempts else b""
    return b"".join(
        (
            status_line(answer.status),
            b"content-type: %b\r\n" % answer.content_type,
            retry,
            tries,
            b"" if keep_alive else CLOSE,
            b"content-length: %d\r\n\r\n" % len(answer.body),
            answer.body if body else b"",
        )
    )
