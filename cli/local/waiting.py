"""Wait for a state of the world, never longer than a deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

_POLL_SECONDS: Final = 0.05


async def until(
    met: Callable[[], Awaitable[bool]], *, deadline: float, poll: float = _POLL_SECONDS
) -> bool:
    """Ask again and again; False when it was not so within that many seconds."""
    try:
        async with asyncio.timeout(deadline):
            while True:
                if await met():
                    return True
                await asyncio.sleep(poll)
    except TimeoutError:
        return False
