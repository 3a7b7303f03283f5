"""What an endpoint says of the work that it has: a region of each service, an engine of itself."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

NEARLY_FULL: Final = 0.9
"""Share of a cache beyond which an engine puts off requests that it has begun."""
FULL_WEIGHT: Final = 10.0
"""Requests that a cache weighs which is nearly full."""


class Load(Struct, frozen=True, gc=False, rename="camel"):
    """Of one service in a region, or of one engine."""

    ready: int = 0
    """Replicas that serve."""
    in_flight: int = 0
    """Requests that are there, whoever sent them."""
    waiting: int = 0
    """Those of them that are not being worked on."""
    kv_use: float = 0.0
    """Share of the cache for keys and values that is taken."""

    @property
    def idle(self) -> bool:
        """Whether it says no more than that one replica is there."""
        busy = self.in_flight or self.waiting or self.kv_use >= NEARLY_FULL
        return self.ready <= 1 and not busy

    def beside(self, ours: int) -> "Load":
        """Leave out requests of our own, which we know sooner and better."""
        others = max(0, self.in_flight - ours)
        return Load(self.ready, others, self.waiting, self.kv_use)

    def weighed(self, tokens: float, each: float) -> float:
        """Give what each replica has to do beside so many tokens of ours, in tokens.

        A request of others has `each`; one that waits has as many again, since a queue means that
        replicas are at their limit, wherever that is.
        """
        full = FULL_WEIGHT if self.kv_use >= NEARLY_FULL else 0.0
        requests = self.in_flight + self.waiting
        return (tokens + requests * each) / max(1, self.ready) + full * each


def together(loads: Sequence[Load]) -> Load:
    """Sum up replicas; their caches are as full as they are on average."""
    use = sum(load.kv_use for load in loads) / len(loads) if loads else 0.0
    return Load(
        ready=sum(load.ready for load in loads),
        in_flight=sum(load.in_flight for load in loads),
        waiting=sum(load.waiting for load in loads),
        kv_use=round(use, 4),
    )


_RUNNING: Final = (b"vllm:num_requests_running", b"sglang:num_running_reqs")
_WAITING: Final = (b"vllm:num_requests_waiting", b"sglang:num_queue_reqs")
_CACHE: Final = (b"vllm:kv_cache_usage_perc", b"vllm:gpu_cache_usage_perc", b"sglang:token_usage")
_LINE: Final = re.compile(
    rb"^(" + b"|".join((*_RUNNING, *_WAITING, *_CACHE)) + rb")(?:\{[^\n]*\})?[ \t]+([^\s]+)",
    re.MULTILINE,
)


def of_engine(metrics: bytes) -> Load | None:
    """Read an engine's metrics, vLLM's or SGLang's; None where they say nothing of its work."""
    found: dict[bytes, list[float]] = {}
    for name, value in _values(metrics):
        found.setdefault(name, []).append(value)
    if not found:
        return None
    waiting = int(sum(_first(found, _WAITING)))
    return Load(
        ready=1,
        in_flight=int(sum(_first(found, _RUNNING))) + waiting,
        waiting=waiting,
        kv_use=max(_first(found, _CACHE), default=0.0),
    )


def _values(metrics: bytes) -> Iterator[tuple[bytes, float]]:
    for line in _LINE.finditer(metrics):
        try:
            value = float(line[2])
        except ValueError:
            continue
        if math.isfinite(value) and value >= 0:
            yield line[1], value


def _first(found: Mapping[bytes, list[float]], names: Sequence[bytes]) -> list[float]:
    return next((found[name] for name in names if name in found), [])
