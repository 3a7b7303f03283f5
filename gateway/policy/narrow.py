"""Which of a service's endpoints come into question for one request: pure."""

from collections.abc import Callable, Collection, Sequence
from hashlib import blake2b
from itertools import groupby
from math import ceil, log
from operator import attrgetter

from gateway.policy.endpoint import TRIAL, EndpointState

BOUND = 1.25
"""Times its share of requests in flight that an endpoint may have for the sake of affinity."""
MASK = (1 << 64) - 1
MIX = 0x9E3779B97F4A7C15
_weight = attrgetter("weight")
Tiers = Sequence[Sequence[EndpointState]]


def tiers(states: Sequence[EndpointState], region: str) -> tuple[tuple[EndpointState, ...], ...]:
    """Order by priority, by cost where that counts, then our own region before others: the next is
    for when one is no use."""

    def rank(state: EndpointState) -> tuple[int, tuple[float, float], bool]:
        endpoint = state.endpoint
        return endpoint.priority, endpoint.cost, bool(region) and endpoint.region != region

    return tuple(tuple(tier) for _, tier in groupby(sorted(states, key=rank), key=rank))


def having(states: Sequence[EndpointState], adapter: str) -> Sequence[EndpointState]:
    """Give those that serve an adapter."""
    return [state for state in states if adapter in state.endpoint.adapters]


def plain(states: Sequence[EndpointState], ranked: Tiers) -> bool:
    """Tell whether all endpoints come into question alike, for whatever request."""
    weights = {state.weight for state in states}
    return len(ranked) <= 1 and len(weights) <= 1 and 0 not in weights


def narrowed(
    ranked: Tiers,
    tried: Collection[EndpointState],
    now: float,
    chance: Callable[[], float],
    key: int = 0,
) -> Sequence[EndpointState]:
    """Give those of the first tier that has any: of one weight, or the one a key leads to."""
    for open_ in (_at_work, _open):
        for tier in ranked:
            found = [state for state in tier if state not in tried and open_(state, now)]
            if found:
                return (bound(found, key),) if key else _drawn(found, chance)
    return ()


def bound(states: Sequence[EndpointState], key: int) -> EndpointState:
    """Lead equal keys to the same endpoint, unless that has far more requests than its share.

    Weighted rendezvous hashing: keys spread by the shares, and few move when these change.
    """
    all_ = sum(state.in_flight for state in states) + 1
    shares = dict(zip(states, _shares(states), strict=True))

    def rank(state: EndpointState) -> tuple[float, str]:
        return shares[state] / log(_drawn_by(state.point ^ key)), state.endpoint.name

    ranked = sorted(states, key=rank)
    return next(each for each in ranked if each.in_flight < ceil(BOUND * all_ * shares[each]))


def _shares(states: Sequence[EndpointState]) -> list[float]:
    """Give the part of all requests that each is due: by weight, and by replicas among equals."""
    even = not any(state.weight for state in states)
    weights = [1 if even else state.weight for state in states]
    groups: dict[int, list[int]] = {}
    for weight, state in zip(weights, states, strict=True):
        groups.setdefault(weight, []).append(state.replicas)
    means = {weight: sum(replicas) / len(replicas) for weight, replicas in groups.items()}
    return [
        weight / sum(weights) * state.replicas / means[weight]
        for weight, state in zip(weights, states, strict=True)
    ]


def digest(text: bytes) -> int:
    """Give the point of a name or the key of a request: never 0."""
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big") or 1


def _drawn(states: Sequence[EndpointState], chance: Callable[[], float]) -> Sequence[EndpointState]:
    """Draw a weight by the share that all endpoints of it have together."""
    weights = sorted({state.weight for state in states})
    if len(weights) == 1:
        return states
    groups = [list(group) for _, group in groupby(sorted(states, key=_weight), key=_weight)]
    shares = [weight * len(group) for weight, group in zip(weights, groups, strict=True)]
    drawn = chance() * sum(shares)
    for share, group in zip(shares, groups, strict=True):
        drawn -= share
        if drawn < 0:
            return group
    return groups[-1]


def _open(state: EndpointState, now: float) -> bool:
    return not state.full and state.usable(now)


def _at_work(state: EndpointState, now: float) -> bool:
    """Tell whether one is open and not on trial already."""
    return _open(state, now) and state.load(now) < TRIAL


def _drawn_by(number: int) -> float:
    """Give a number between 0 and 1, neither of them, that looks like chance."""
    number = (number * MIX) & MASK
    number = ((number ^ (number >> 29)) * MIX) & MASK
    return ((number >> 11) | 1) * 2.0**-53
