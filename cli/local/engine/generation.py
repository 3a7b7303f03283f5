"""What is said in answer to a prompt, token by token, and why it ends. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cli.local.engine.words import EOS, checksum, mix, next_token, spell


@dataclass(frozen=True, slots=True)
class Step:
    """One token; its text may come later where it could be the beginning of a stop string."""

    token: int
    text: str
    finish_reason: str | None = None
    stop_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the text shall be like."""

    prompt: Sequence[int]
    model: str
    limit: int
    """Tokens at most."""
    least: int = 0
    """Tokens before the text may end by itself."""
    ignore_eos: bool = False
    seed: int = 0
    stops: Sequence[str] = ()


def generate(wish: Wish) -> Iterator[Step]:
    """Generate until the text ends, meets a stop string, or is as long as it may be."""
    tail = _Tail(wish.stops)
    for number, token in enumerate(_tokens(wish), start=1):
        if token == EOS:
            yield Step(token, tail.rest(), "stop")
            return
        text, stop = tail.take(spell(token, wish.model))
        if stop is not None:
            yield Step(token, text, "stop", stop)
            return
        last = number >= wish.limit
        yield Step(token, text + tail.rest() if last else text, "length" if last else None)
        if last:
            return


def _tokens(wish: Wish) -> Iterator[int]:
    """Generate for ever, or until EOS where that is allowed."""
    value, last, count = checksum(list(wish.prompt), wish.seed), wish.prompt[-1], 0
    while True:
        token = next_token(value, last)
        if token == EOS and (wish.ignore_eos or count < wish.least):
            token = next_token(value, EOS)
        yield token
        value, last, count = mix(value, token), token, count + 1


class _Tail:
    """Holds back the end of the text for as long as it may become a stop string."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = stops
        self._held = ""

    def take(self, text: str) -> tuple[str, str | None]:
        """Give what may be said now, and the stop string that was met."""
        self._held += text
        found = [(self._held.find(stop), stop) for stop in self._stops if stop in self._held]
        if found:
            at, stop = min(found)
            return self._held[:at], stop
        keep = max((self._overlap(stop) for stop in self._stops), default=0)
        said, self._held = self._held[: len(self._held) - keep], self._held[-keep:] if keep else ""
        return said, None

    def rest(self) -> str:
        return self._held

    def _overlap(self, stop: str) -> int:
        lengths = range(min(len(stop) - 1, len(self._held)), 0, -1)
        return next((n for n in lengths if self._held.endswith(stop[:n])), 0)
