"""SIGTERM and SIGINT as an event that a program waits for."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Ending:
    """Set when the program is to end."""

    def __init__(self) -> None:
        self.wanted = asyncio.Event()

    def take_signals(self) -> None:
        """Have signals end the program; again after a library has taken them for itself."""
        loop = asyncio.get_running_loop()
        for each in SIGNALS:
            loop.add_signal_handler(each, self.wanted.set)

    @contextmanager
    def by_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        self.take_signals()
        try:
            yield
        finally:
            for each in SIGNALS:
                loop.remove_signal_handler(each)
