"""Streams of bytes, cut wherever a network may cut them."""

from collections.abc import Sequence
from itertools import pairwise


def cut(stream: bytes, places: Sequence[int]) -> list[bytes]:
    """Cut a stream at places that may lie anywhere: they are taken modulo its length."""
    ends = sorted({place % (len(stream) + 1) for place in places} | {0, len(stream)})
    return [stream[start:end] for start, end in pairwise(ends)]
