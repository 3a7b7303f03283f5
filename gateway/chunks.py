"""Chunks of a stream as far as going on with it depends on them."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct

Ids = list[int] | None


class Choice(Struct):
    token_ids: Ids = None
    prompt_token_ids: Ids = None
    delta: dict[str, Any] | None = None
    text: str | None = None
    finish_reason: str | None = None
    logprobs: Any = UNSET
    stop_reason: Any = UNSET

    @property
    def ended(self) -> bool:
        return self.finish_reason is not None

    @property
    def odd(self) -> bool:
        """Whether something is said that is no plain text."""
        said = self.delta or {}
        return any(value and name not in ("role", "content") for name, value in said.items())


class Chunk(Struct):
    id: Any = UNSET
    object: Any = UNSET
    created: Any = UNSET
    model: Any = UNSET
    choices: tuple[Choice, ...] = ()
    prompt_token_ids: Ids = None
    usage: Any = None

    @property
    def frame(self) -> dict[str, Any]:
        """What all chunks of a stream have in common."""
        told = {"id": self.id, "object": self.object, "created": self.created, "model": self.model}
        return {name: value for name, value in told.items() if value is not UNSET}

    @property
    def prompt(self) -> list[int]:
        """Tokens of the prompt, wherever they are told."""
        told = (self.prompt_token_ids, *(choice.prompt_token_ids for choice in self.choices))
        return next(filter(None, told), [])


_DATA: Final = b"data:"
_decode = msgspec.json.Decoder(Chunk).decode


def read(event: bytes) -> Chunk | None:
    """Read an event that holds a chunk; None for what is none."""
    if not event.startswith(_DATA):
        return None
    try:
        return _decode(event[len(_DATA) :])
    except (ValueError, RecursionError):
        return None


def split(events: bytes) -> Iterator[bytes]:
    """Give events one by one, each with its end."""
    for event in events.split(b"\n\n"):
        if event:
            yield event + b"\n\n"
