"""How long a worker stands still when its routes are exchanged: milliseconds of CPU."""

import statistics
import time
from typing import Final

from gateway.keys import Credentials
from gateway.link import Frames, Table, framed, to_worker
from gateway.settings import Settings
from gateway.snapshot import Endpoint, Service, Snapshot
from gateway.tls import Trust
from gateway.worker import build

SERVICES, EACH, TIMES = 200, 10, 9
"""2,000 endpoints, exchanged so often."""
MILLISECONDS: Final = 1000.0


def routes(number: int) -> Snapshot:
    return Snapshot(tuple(_service(name, number) for name in range(SERVICES)))


def stall() -> float:
    """Give the median of what it takes to read new routes and to take them in."""
    plane = build(Settings(), Credentials(), Trust()).plane
    took = []
    for number in range(TIMES):
        frame, frames = framed(Table(routes(number))), Frames(to_worker)
        began = time.thread_time()
        for message in frames.feed(frame):
            if isinstance(message, Table):
                plane.swap(message.snapshot)
        took.append(MILLISECONDS * (time.thread_time() - began))
    return statistics.median(took)


def _service(name: int, number: int) -> Service:
    places = tuple(
        Endpoint(
            f"team/m{name}-{region}",
            f"https://gateway-{region}.example/v1",
            model=f"m{name}",
            region=f"r{region}",
            fleet=True,
            # Something that changes each time.
            priority=(number + region) % 3,
        )
        for region in range(EACH)
    )
    return Service(f"team/m{name}", (f"m{name}", f"team/m{name}"), places)
