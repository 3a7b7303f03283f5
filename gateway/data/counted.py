"""Streams that are asked for the tokens they took, and whose clients did not ask for it."""

import re
from typing import Final

from typing_extensions import override

from gateway.chunks import read, split
from gateway.continuation import CHAT, COMPLETIONS
from gateway.data.call import Call
from gateway.data.reply import Reply
from gateway.data.request import Request, another
from gateway.policy.learning import STREAM
from gateway.usage import NOTHING, Usage, near_end

ASKED: Final = b'"stream_options":{"include_usage":true},'
_OPTIONS: Final = b'"stream_options"'
_USAGE: Final = b'"usage"'
_NULL: Final = re.compile(rb',\s*"usage"\s*:\s*null')


def ask(call: Call) -> None:
    """Have a stream tell its tokens, unless its client says something of that itself."""
    request = call.request
    wanted = call.wanted.kind == STREAM and request.target in (CHAT, COMPLETIONS)
    if wanted and _OPTIONS not in request.body:
        call.request, call.span, call.reply = _asking(request), None, Counted


def _asking(request: Request) -> Request:
    start = request.body.index(b"{") + 1
    body = request.body[:start] + ASKED + request.body[start:]
    return another(request, request.target, body)


class Counted(Reply):
    """Takes out again what was asked for: the event that tells the usage, and where it is null."""

    __slots__ = ("_told",)

    def __init__(self, *, old: bool) -> None:
        super().__init__(old=old)
        self._told = NOTHING

    @property
    @override
    def usage(self) -> Usage:
        return self._told if self._told.answer else super().usage

    @override
    def _whole(self, data: bytes) -> bytes:
        whole = super()._whole(data)
        if not self.streams or _USAGE not in whole:
            return whole
        return b"".join(map(self._plain, split(whole)))

    def _plain(self, event: bytes) -> bytes:
        chunk = read(event)
        if chunk and chunk.usage and not chunk.choices:
            self._told = near_end(event)
            return b""
        return _NULL.sub(b"", event)
