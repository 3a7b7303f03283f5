"""Divide replicas among clusters: evenly, the rest to the cheaper, no more than there is room."""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush


def divide(replicas: int, room: Sequence[int], least: Sequence[int]) -> list[int]:
    """Give one by one to whoever has the fewest; of equals to the first, who is the cheapest.

    `least` is what each has already and keeps. What nobody has room for is not given.
    """
    shares = list(least)
    waiting = [(share, place) for place, share in enumerate(shares) if share < room[place]]
    heapify(waiting)
    for _ in range(replicas - sum(shares)):
        if not waiting:
            break
        share, place = heappop(waiting)
        shares[place] = share + 1
        if share + 1 < room[place]:
            heappush(waiting, (share + 1, place))
    return shares


def redivide(replicas: int, room: Sequence[int], held: Sequence[int]) -> list[int]:
    """Leave what is served where it is, if then every cluster gets a share; else divide evenly."""
    newcomers = sum(share == 0 for share in held)
    if replicas - sum(held) < newcomers:
        return divide(replicas, room, [0] * len(room))
    return divide(replicas, room, held)
