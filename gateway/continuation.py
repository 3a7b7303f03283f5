"""A stream that was cut goes on elsewhere, token for token: what was said is the next prompt's end.

Engines that return token ids are asked for them, and they are taken out again of what clients get.
After a cut another engine is asked by `/v1/completions` for what follows upon all the tokens so
far; its chunks become chunks of the stream that they go on.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec
from msgspec import UNSET

from gateway import chunks
from gateway.chunks import Choice, Chunk, split
from gateway.usage import Usage

CHAT: Final = b"/v1/chat/completions"
COMPLETIONS: Final = b"/v1/completions"
ASKED: Final = b'"return_token_ids":true,'
LONGEST: Final = 256 * 1024
"""Bytes of a request that is looked at; longer ones end where they are cut."""
KEPT: Final = (
    *("model", "stream", "stream_options", "temperature", "top_p", "top_k", "min_p", "seed"),
    *("user", "ignore_eos", "logit_bias", "stop_token_ids", "priority"),
)
"""Fields that mean the same for what follows."""
UNSAID: Final = 16
"""Tokens of a completion that names no limit."""
_LIMITS: Final = ("max_tokens", "max_completion_tokens")
_KNOWN: Final = frozenset((*KEPT, *_LIMITS, "messages", "prompt", "metadata", "store"))
_HARMLESS: Final[Mapping[str, tuple[Any, ...]]] = {
    "n": (None, 1),
    "stop": (None, [], ""),
    "logprobs": (None, False),
    "presence_penalty": (None, 0),
    "frequency_penalty": (None, 0),
    "tools": (None, []),
    "response_format": (None, {"type": "text"}),
    "echo": (None, False),
}
"""Fields that what follows cannot be asked for by, unless they say nothing."""
_ID_LIST: Final = rb'"(?:prompt_)?token_ids"\s*:\s*(?:\[[\d,\s]*\]|null)'
_IDS: Final = re.compile(rb",\s*%b|(?<=\{)%b\s*," % (_ID_LIST, _ID_LIST))
"""A field of an object, with the comma before it or after it; texts hold no bare quotes."""
_INTERRUPTED: Final = b'"stream_interrupted"'
_DONE: Final = b"data: [DONE]\n\n"
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Request(Protocol):
    target: bytes
    body: bytes


def question(request: Request) -> dict[str, Any] | None:
    """Read a request whose answer could go on elsewhere; None for all others."""
    if request.target not in (CHAT, COMPLETIONS) or len(request.body) > LONGEST:
        return None
    try:
        asked = _decode(request.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(asked, dict) or asked.get("stream") is not True:
        return None
    return asked if all(_goes_on(name, value) for name, value in asked.items()) else None


def _goes_on(name: str, value: Any) -> bool:
    if name == "stream_options":
        return value is None or isinstance(value, dict)
    if name in _LIMITS:
        return value is None or (isinstance(value, int) and value > 0)
    return name in _KNOWN or value in _HARMLESS.get(name, ())


def asking(body: bytes) -> bytes:
    """Ask for token ids too; everything else stays byte for byte."""
    start = body.index(b"{") + 1
    return body[:start] + ASKED + body[start:]


class Tale:
    """What was said so far, and what it would be to go on."""

    def __init__(self, asked: Mapping[str, Any], *, chat: bool) -> None:
        self._asked, self._chat = asked, chat
        self._prompt: list[int] = []
        self._said: list[int] = []
        self._frame: dict[str, Any] = {}
        """What all chunks have in common."""
        self._strange = False
        """Something came that could not be gone on with."""
        self._finished = False
        """Its last chunk has come, and only what ends a stream is missing."""
        self.interrupted = False
        """Another gateway said that its stream was cut."""
        self.done = False

    @property
    def resumable(self) -> bool:
        ended = self._strange or self._finished or self.done
        return bool(self._prompt and self._said) and not ended

    @property
    def ending(self) -> bytes:
        """Give what is missing of a stream that has all its text; nothing where more is."""
        usage = (self._asked.get("stream_options") or {}).get("include_usage")
        return _DONE if self._finished and not (usage or self.done) else b""

    @property
    def usage(self) -> Usage:
        return Usage(len(self._prompt), len(self._said))

    def heard(self, events: bytes) -> bytes:
        """Note the tokens of whole events, and give the events without their ids."""
        self._strange |= b"\r" in events
        if self._strange:
            return _IDS.sub(b"", events)
        return b"".join(map(self._plain, split(events)))

    def again(self) -> bytes:
        """Ask for what follows upon everything so far."""
        body = {name: self._asked[name] for name in KEPT if name in self._asked}
        most = next((self._asked[name] for name in _LIMITS if self._asked.get(name)), None)
        if not self._chat and "max_tokens" not in self._asked:
            most = UNSAID
        # None is as much as fits, but has to be said.
        left = max(1, most - len(self._said)) if isinstance(most, int) else None
        return _encode(
            body
            | {"prompt": self._prompt + self._said, "max_tokens": left, "return_token_ids": True}
        )

    def followed(self, events: bytes) -> bytes:
        """Give what another engine says as the stream would have gone on."""
        return b"".join(map(self._turned, split(events)))

    def _plain(self, event: bytes) -> bytes:
        if _INTERRUPTED in event and b'"error"' in event:
            self.interrupted = True
        if self.interrupted:
            return b""
        if event == _DONE:
            self.done = True
            return event
        if chunk := chunks.read(event):
            self._note(chunk)
        else:
            self._strange |= not event.startswith(b":")
        return _IDS.sub(b"", event)

    def _note(self, chunk: Chunk) -> None:
        self._prompt = self._prompt or chunk.prompt
        self._frame = self._frame or chunk.frame
        for choice in chunk.choices:
            self._said += choice.token_ids or []
            self._strange |= choice.odd
            self._finished |= choice.ended

    def _turned(self, event: bytes) -> bytes:
        if event == _DONE:
            self.done = True
            return event
        chunk = chunks.read(event)
        if chunk is None:
            return b""
        if not chunk.choices:
            return self._event([], {"usage": self._summed()}) if chunk.usage else b""
        choice = chunk.choices[0]
        self._said += choice.token_ids or []
        self._finished |= choice.ended
        return self._event([self._choice(choice)], {})

    def _choice(self, told: Choice) -> dict[str, Any]:
        text = told.text or ""
        said = {"delta": {"content": text}} if self._chat else {"text": text}
        also = {"logprobs": told.logprobs, "stop_reason": told.stop_reason}
        kept = {name: value for name, value in also.items() if value is not UNSET}
        return {"index": 0, **said, "finish_reason": told.finish_reason, **kept}

    def _summed(self) -> dict[str, int]:
        prompt, answer = len(self._prompt), len(self._said)
        return {
            "prompt_tokens": prompt,
            "total_tokens": prompt + answer,
            "completion_tokens": answer,
        }

    def _event(self, choices: list[dict[str, Any]], more: Mapping[str, Any]) -> bytes:
        return b"data: %b\n\n" % _encode({**self._frame, "choices": choices, **more})
