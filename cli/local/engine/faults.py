"""How the engine was told to misbehave, for as long as it is told so."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from cli.local.engine.errors import BadRequestError


class Mode(StrEnum):
    OK = "ok"
    REFUSE = "refuse"
    """Answer 503."""
    HANG = "hang"
    """Take the request and say nothing, or nothing more after some chunks."""
    DIE = "die"
    """Cut the connection."""
    EXIT = "exit"
    """End the process, and with it every connection."""


class Fault(Struct, frozen=True):
    mode: Mode = Mode.OK
    after_chunks: Annotated[int, Meta(ge=0)] = 0
    """Tokens that a completion still gives before it hangs, dies or exits."""
    health: bool = False
    """Whether /health suffers too; without it only completions do."""
    retry_after: Annotated[int, Meta(ge=0)] | None = None
    """Seconds that a refusal names in Retry-After."""


_decoder = msgspec.json.Decoder(Fault)


def read(body: bytes) -> Fault:
    try:
        return _decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise BadRequestError(str(error), "mode") from error
