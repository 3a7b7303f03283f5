"""The one thing that routing needs of a request's JSON: the model it names, and where it stands.

Nothing is re-serialised: an alias is exchanged for the engine's name in place, all else passes
byte for byte.
"""

import re
from collections.abc import Generator
from typing import Any

import msgspec

from gateway.policy.learning import ANY, Wanted, streamed, whole

LARGE = 1024 * 1024
"""Bytes above which a body is walked in steps: decoding 10 MB takes 10 ms, with the loop held."""
STEP = 64 * 1024
"""Bytes without a bracket or a quote between two chances for others to run."""
JUMPS = 1024
"""Brackets, keys or escaped quotes between two chances for others to run."""

BACKSLASH = 0x5C
_BACKSLASH = b"\\"
_KEY = b'"model"'
_ESCAPED = b"\\u006"
"""A letter of `model` may be written as an escape: the same key in other bytes."""
_VALUE = re.compile(rb'"model"[ \t\r\n]*:[ \t\r\n]*("(?:[^"\\]|\\.)*")')
_SPACE = re.compile(rb"[ \t\r\n]*")
_SCALAR = re.compile(rb"[^,}\]\s]+")
_BRACKET = re.compile(rb'["\[\]{}]')


class BodyError(ValueError):
    """A body that cannot be routed; says which field is wrong where it is one field."""

    def __init__(self, message: str, *, code: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class Named(msgspec.Struct):
    """What has to be read of a body."""

    model: Any = None


class Head(Named):
    """What is good to know as well."""

    stream: Any = None
    max_tokens: Any = None
    max_completion_tokens: Any = None
    max_output_tokens: Any = None

    @property
    def wanted(self) -> Wanted:
        """Tell what is asked for, as far as it decides how much work that is."""
        most = self.max_tokens or self.max_completion_tokens or self.max_output_tokens
        if not isinstance(most, int):
            most = 0
        return streamed(most) if self.stream is True else whole(most)


_decode = msgspec.json.Decoder(Head).decode
_named = msgspec.json.Decoder(Named).decode
_string = msgspec.json.Decoder(str).decode
Span = tuple[int, int]
Steps = Generator[None, None, Span]


def long(body: bytes) -> bool:
    """Tell whether to read a body takes so long that others are to be served meanwhile."""
    return len(body) > LARGE or (len(body) > STEP and not _plain(body))


def _plain(body: bytes) -> bool:
    """Tell whether what looks like the model's key can be no other."""
    # One byte is found far sooner than six, and most bodies have none.
    escaped = _BACKSLASH in body and _ESCAPED in body
    return not escaped and body.count(_KEY) == 1


def head_of(body: bytes) -> Head:
    """Read a small body that names a model; refuse what engines would read differently."""
    try:
        head = _decode(body)
    except (ValueError, RecursionError):
        head = _name_alone(body)
    if not _plain(body):
        finish(walk(body))
    model = head.model
    if not (model and isinstance(model, str)):
        _checked(model)
    return head


def _name_alone(body: bytes) -> Head:
    """Read only the name: what an engine makes of other fields is not ours to judge."""
    try:
        return Head(_named(body).model)
    except (ValueError, RecursionError) as error:
        raise _invalid(error) from error


def glance(body: bytes) -> Wanted:
    """Tell what a body asks for which is not ours to judge, if that is easy."""
    if len(body) > STEP:
        return ANY
    try:
        return _decode(body).wanted
    except (ValueError, RecursionError):
        return ANY


def model_span(body: bytes) -> Span:
    """Find the model's value, quotes included, in a body that names one."""
    if _plain(body) and (found := _VALUE.search(body)):
        return found.span(1)
    return finish(walk(body))


def renamed(body: bytes, span: Span, model: str) -> bytes:
    """Put another name for the model's."""
    start, end = span
    return b"".join((body[:start], msgspec.json.encode(model), body[end:]))


def model_at(body: bytes, span: Span) -> str:
    """Read the value that `walk` found."""
    value = body[slice(*span)]
    if not value.startswith(b'"'):
        raise _not_a_string()
    try:
        return _checked(_string(value))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _invalid(error) from error


def finish(steps: Steps) -> Span:
    """Run a walk to its end at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Span = end.value
            return found


def walk(body: bytes) -> Steps:
    """Find the value of the one top-level `model`, pausing after every step."""
    found: Span | None = None
    at, keys = _skip(body, 0), 0
    if body[at : at + 1] != b"{":
        raise BodyError("The body is not a JSON object.", code="invalid_json")
    more = body[_skip(body, at + 1) : _skip(body, at + 1) + 1] != b"}"
    while more:
        keys += 1
        if keys % JUMPS == 0:
            yield
        key, at = yield from _key(body, _skip(body, at + 1))
        start, at = at, (yield from _value(body, at))
        if key == "model":
            if found:
                raise BodyError("`model` is given twice.", code="duplicate_model", param="model")
            found = (start, at)
        at = _skip(body, at)
        more = body[at : at + 1] == b","
    if found is None:
        raise _missing()
    return found


def _key(body: bytes, at: int) -> Generator[None, None, tuple[str, int]]:
    """Read a key; gives where its value begins."""
    if body[at : at + 1] != b'"':
        raise _broken(at)
    end = yield from _string_end(body, at)
    colon = _skip(body, end)
    if body[colon : colon + 1] != b":":
        raise _broken(colon)
    raw = body[at:end]
    try:
        key = _string(raw) if b"\\" in raw else raw[1:-1].decode()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _invalid(error) from error
    return key, _skip(body, colon + 1)


def _value(body: bytes, at: int) -> Generator[None, None, int]:
    """Skip a value; gives where it ends."""
    first = body[at : at + 1]
    if first == b'"':
        return (yield from _string_end(body, at))
    if first in (b"{", b"["):
        return (yield from _nested(body, at))
    if scalar := _SCALAR.match(body, at):
        return scalar.end()
    raise _broken(at)


def _nested(body: bytes, at: int) -> Generator[None, None, int]:
    depth, jumps = 0, 0
    while True:
        if jumps % JUMPS == 0:
            yield
        jumps += 1
        found = _BRACKET.search(body, at, at + STEP)
        if found is None:
            at, jumps = _onward(body, at), 0
            continue
        at, sign = found.end(), found.group()
        if sign == b'"':
            at = yield from _string_end(body, at - 1)
        else:
            depth += 1 if sign in b"[{" else -1
        if depth == 0:
            return at


def _onward(body: bytes, at: int) -> int:
    if at + STEP >= len(body):
        raise _broken(len(body))
    return at + STEP


def _string_end(body: bytes, at: int) -> Generator[None, None, int]:
    """Find where a string ends that begins at `at`: behind the next quote that is not escaped."""
    end, jumps = at, 0
    while True:
        end = body.find(b'"', end + 1)
        if end < 0:
            raise _broken(len(body))
        if not (yield from _escaped(body, end)):
            return end + 1
        jumps += 1
        if jumps % JUMPS == 0:
            yield


def _escaped(body: bytes, quote: int) -> Generator[None, None, bool]:
    """Tell whether an odd number of backslashes, which may be millions, stands before a quote."""
    at, width = quote, 1
    while body[at - 1] == BACKSLASH:
        before = body[max(0, at - width) : at]
        at -= len(before) - len(before.rstrip(b"\\"))
        if width < STEP:
            width *= 16
        else:
            yield
    return (quote - at) % 2 == 1


def _skip(body: bytes, at: int) -> int:
    space = _SPACE.match(body, at)
    return space.end() if space else at


def _checked(model: Any) -> str:
    if model is None:
        raise _missing()
    if not isinstance(model, str) or not model:
        raise _not_a_string()
    return model


def _missing() -> BodyError:
    return BodyError("You must provide a model parameter.", code="missing_model", param="model")


def _not_a_string() -> BodyError:
    return BodyError("`model` must be a string.", code="invalid_model", param="model")


def _invalid(error: Exception) -> BodyError:
    return BodyError(f"The body is not valid JSON: {error}.", code="invalid_json")


def _broken(at: int) -> BodyError:
    return BodyError(f"The body is not valid JSON (byte {at}).", code="invalid_json")
