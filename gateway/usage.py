"""How many tokens an answer says that it took."""

import re
from typing import Final

import msgspec

LOOKED_AT: Final = 4096
"""Bytes at an answer's end among which it tells: more would be read for nothing."""
_KEY: Final = b'"usage"'
_COUNT: Final = re.compile(rb'"((?:prompt|input|completion|output)_tokens)"\s*:\s*(\d{1,12})')


class Usage(msgspec.Struct, gc=False):
    """As OpenAI's completions, its responses and Anthropic's messages write it."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def prompt(self) -> int:
        return self.prompt_tokens or self.input_tokens

    @property
    def answer(self) -> int:
        return self.completion_tokens or self.output_tokens


class _Whole(msgspec.Struct, gc=False):
    usage: Usage | None = None


NOTHING: Final = Usage()
_decode = msgspec.json.Decoder(_Whole).decode


def of_answer(body: bytes) -> Usage:
    """Read a whole answer: a short one as the JSON that it is, of a long one the end."""
    if len(body) > LOOKED_AT:
        return near_end(body)
    try:
        return _decode(body).usage or NOTHING
    except (ValueError, RecursionError):
        return near_end(body)


def near_end(body: bytes) -> Usage:
    """Find it at the end of an answer, or of a stream: no text holds a bare quote."""
    at = body.rfind(_KEY, max(0, len(body) - LOOKED_AT))
    if at < 0:
        return NOTHING
    found: dict[str, int] = {}
    for count in _COUNT.finditer(body, at):
        found.setdefault(count[1].decode(), int(count[2]))
    return Usage(**found)
