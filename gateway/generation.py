"""What answers took and held, as OpenTelemetry's conventions for generative AI have it."""

from typing import Final

from msgspec import Struct, field

from gateway.histogram import Bounds, Histogram

DURATION: Final[Bounds] = (
    *(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
)
FIRST: Final[Bounds] = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1),
    *(0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)
EACH: Final[Bounds] = (*(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5),)
TOKENS: Final[Bounds] = tuple(float(4**power) for power in range(14))
"""The conventions' bounds, in seconds and tokens."""
_OUTCOMES: Final = {"2": "ok", "3": "ok", "4": "refused", "5": "failed"}


def outcome(status: str) -> str:
    """Sort answers: ok, refused (the request was at fault), failed, cut or cancelled."""
    if status in ("cut", "499"):
        return "cut" if status == "cut" else "cancelled"
    return _OUTCOMES.get(status[:1], "failed")


class Generation(Struct):
    """Of one model, region and status."""

    tries: int = 0
    retries: int = 0
    """Tries after the first."""
    duration: Histogram = field(default_factory=lambda: Histogram.of(DURATION))
    """Seconds from a whole request to the end of its answer."""
    first: Histogram = field(default_factory=lambda: Histogram.of(FIRST))
    """Seconds to a stream's first content."""
    each: Histogram = field(default_factory=lambda: Histogram.of(EACH))
    """Seconds for each token of a stream after the first."""
    prompt: Histogram = field(default_factory=lambda: Histogram.of(TOKENS))
    """Tokens of prompts, where answers tell them."""
    answer: Histogram = field(default_factory=lambda: Histogram.of(TOKENS))
    """Tokens of answers."""

    def streamed(self, first: float, rest: float, tokens: int) -> None:
        """Count a stream that began after `first` seconds and took `rest` more."""
        self.first.observe(first, FIRST)
        if tokens > 1:
            self.each.observe(rest / (tokens - 1), EACH)

    def used(self, prompt: int, answer: int) -> None:
        """Count tokens, where they are told."""
        if prompt:
            self.prompt.observe(prompt, TOKENS)
        if answer:
            self.answer.observe(answer, TOKENS)

    @property
    def answers(self) -> int:
        return sum(self.duration.counts)

    def add(self, other: "Generation") -> None:
        self.tries += other.tries
        self.retries += other.retries
        self.duration.add(other.duration)
        self.first.add(other.first)
        self.each.add(other.each)
        self.prompt.add(other.prompt)
        self.answer.add(other.answer)
