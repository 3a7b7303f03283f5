"""A fence before writes: what a replica may not write any more is not sent."""

from collections.abc import Callable

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload
from typing_extensions import override

Fence = Callable[[], float]
"""Gives the seconds that a write may take; a KubeError where none may be sent."""


class FencedBody(BytesPayload):
    """A body that asks the fence when it is about to be sent: to connect may have taken long.

    A server acts on no request whose body it has not got.
    """

    def __init__(self, body: bytes, fence: Fence) -> None:
        super().__init__(body)
        self._fence = fence

    @override
    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        self._fence()
        await super().write_with_length(writer, content_length)
