"""What the gateway itself says to a client: OpenAI's error objects, with their status."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import msgspec

from gateway.policy.endpoint import Failure

RETRYABLE = frozenset({429, 502, 503, 504})
"""Statuses upon which another endpoint is asked."""
NAME_LETTERS = 128
INVALID, SERVER = "invalid_request_error", "server_error"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    content_type: bytes = b"application/json"
    retry_after: int = 0
    """Seconds; 0 leaves the header out."""
    close: bool = False
    """The rest of what the client sends cannot be trusted or is not wanted."""
    code: str = ""
    """For metrics."""
    attempts: int = 0
    """Endpoints that were asked in vain; 0 leaves the header out."""


def _body(kind: str, code: str, message: str, param: str | None = None) -> bytes:
    fields = {"message": message, "type": kind, "param": param, "code": code}
    return msgspec.json.encode({"error": fields})


def error(status: int, code: str, message: str, *, param: str | None = None) -> Answer:
    kind = INVALID if status < HTTPStatus.INTERNAL_SERVER_ERROR else SERVER
    return Answer(status, _body(kind, code, message, param), code=code)


def later(status: int, code: str, message: str, seconds: float) -> Answer:
    """Refuse for now, and say when to come again."""
    answer = error(status, code, message)
    return Answer(status, answer.body, retry_after=max(1, math.ceil(seconds)), code=code)


def closing(answer: Answer) -> Answer:
    return Answer(answer.status, answer.body, close=True, code=answer.code)


def as_json(body: Any) -> Answer:
    return Answer(200, msgspec.json.encode(body))


def unknown_model(model: str, nearest: Sequence[str] = ()) -> Answer:
    """Name the model, as far as a name may be long, and those that may be meant."""
    message = f"The model `{model[:NAME_LETTERS]}` does not exist."
    if nearest:
        message += f" Did you mean {' or '.join(f'`{name}`' for name in nearest)}?"
    return error(404, "model_not_found", message, param="model")


def not_found(method: str, path: str) -> Answer:
    return error(404, "unknown_url", f"Unknown request URL: {method} {path}.")


UNAUTHORIZED = closing(error(401, "invalid_api_key", "Incorrect API key provided."))
TOO_LARGE = closing(error(413, "request_too_large", "The request's body is too large."))
HEAD_TOO_LARGE = closing(error(431, "headers_too_large", "The request's headers are too large."))
MALFORMED = closing(error(400, "malformed_request", "The request is not valid HTTP/1.1."))
EXPECTATION = closing(error(417, "expectation_failed", "Only `Expect: 100-continue` is known."))
TIMEOUT = closing(error(408, "request_timeout", "The request was not sent in time."))
UNCOUNTED = later(503, "not_counted", "Nobody gathers the counters just now.", 1)
STARTING = later(503, "not_ready", "The gateway does not know its models yet.", 1)


def none_ready(service: str, seconds: float) -> Answer:
    message = f"No endpoint of {service} is ready; try again later."
    return later(503, "no_ready_endpoint", message, seconds)


def crowded(seconds: float) -> Answer:
    """Send one away because too many wait; as long as it waited others have to wait as well."""
    return later(429, "queue_full", "Too many requests wait for this model.", seconds)


def waited(seconds: float) -> Answer:
    message = "Every endpoint was full for as long as a request may wait."
    return later(503, "queue_timeout", message, seconds)


def gave_up(failure: Failure, attempts: int, seconds: float) -> Answer:
    """Say what the last try met, when there is nobody else to ask."""
    return replace(_last_word(failure, attempts, seconds), attempts=attempts)


def _last_word(failure: Failure, attempts: int, seconds: float) -> Answer:
    tries = "1 try" if attempts == 1 else f"{attempts} tries"
    if failure is Failure.SLOW:
        return later(504, "upstream_timeout", f"No answer in time after {tries}.", seconds)
    if failure is Failure.UNTRUSTED:
        message = f"No endpoint had a certificate to be trusted after {tries}."
        return later(503, "no_trusted_endpoint", message, seconds)
    if failure is Failure.SPENT:
        message = f"The gateway had no connection left to open after {tries}."
        return later(503, "no_connection", message, seconds)
    if failure is Failure.REFUSED:
        message = f"No endpoint could be reached after {tries}."
        return later(503, "no_ready_endpoint", message, seconds)
    return later(502, "upstream_failed", f"The answer was cut off after {tries}.", seconds)


INTERRUPTED = (
    b"data: "
    + _body(SERVER, "stream_interrupted", "The server that wrote this answer was lost.")
    + b"\n\n"
)
"""Ends a stream that cannot go on: an event that clients raise, and no [DONE] after it."""
INTERRUPTED_BY_NAME = INTERRUPTED.replace(b"data: {", b'event: error\ndata: {"type":"error",', 1)
"""The same where events have names (messages, responses): clients pass over those without."""
