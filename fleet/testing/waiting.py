"""Wait for a state of the world, with a deadline."""

import asyncio
import inspect
from collections.abc import Callable

DEADLINE_SECONDS = 120.0
"""What comes within seconds comes within this on a machine that has ten times as much to do."""
POLL_SECONDS = 0.01


async def until(state: Callable[[], object], *, seconds: float = DEADLINE_SECONDS) -> None:
    """Return when `state()`, awaited if need be, is true; TimeoutError names what did not come."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await _value(state()):
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError(f"not within {seconds} s: {getattr(state, '__qualname__', state)}")
        await asyncio.sleep(POLL_SECONDS)


async def passes(seconds: float) -> None:
    """Let time go by: what is shown is that nothing comes of it."""
    await asyncio.sleep(seconds)


async def _value(result: object) -> object:
    return await result if inspect.isawaitable(result) else result
