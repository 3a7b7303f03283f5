"""How many tokens a request takes up until its answer ends: learned from those before it."""

from typing import Final

A_BYTE: Final = 0.25
"""Tokens that a byte of a prompt makes, as far as nothing is learned: English has one in four."""
AN_ANSWER: Final = 256.0
"""Tokens of an answer, as far as nothing is learned."""
SHARE: Final = 1 / 16
"""Of what the last answer said, in what is expected of the next."""
MOST: Final = 1 << 20
"""Tokens of a prompt or an answer below which they are believed: no model has room for more."""


class Expected:
    """For one kind of request of one model: pictures and other languages have another measure."""

    __slots__ = ("_a_byte", "_answer")

    def __init__(self) -> None:
        self._a_byte, self._answer = A_BYTE, AN_ANSWER

    def of(self, size: int, most: int) -> int:
        """Estimate a request of `size` bytes whose answer may have `most` tokens (0: who knows).

        Limits are far above what is said, most of the time: they count where they are below it.
        """
        answer = self._answer
        if 0 < most < answer:
            answer = float(most)
        return int(size * self._a_byte + answer) + 1

    def took(self, size: int, prompt: int, answer: int) -> None:
        """Learn from an answer how many tokens it took; two zeros tell nothing."""
        if 0 < prompt < MOST and size:
            self._a_byte += (prompt / size - self._a_byte) * SHARE
        if (prompt or answer) and answer < MOST:
            self._answer += (answer - self._answer) * SHARE
