"""How many requests an engine takes at a time, and how many wait: settable while it runs."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from cli.local.engine.errors import BadRequestError


class Limits(Struct, frozen=True):
    running: Annotated[int, Meta(ge=1)] | None = None
    """Requests that run together; without it as many as it was started with."""
    waiting: Annotated[int, Meta(ge=0)] | None = None
    """Requests that wait for a place; more are answered 429. Without it all may."""


_decoder = msgspec.json.Decoder(Limits)


def read(body: bytes) -> Limits:
    try:
        return _decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise BadRequestError(str(error), "running") from error
