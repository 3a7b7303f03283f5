"""Which endpoint gets a request: the one with the least to do, in tokens."""

from collections.abc import Callable, Collection, Sequence

from gateway.policy.endpoint import EndpointState

MANY = 16
"""Above so many a sample is compared instead of all."""
SAMPLE = 4


def pick(
    states: Sequence[EndpointState],
    tried: Collection[EndpointState],
    now: float,
    chance: Callable[[], float],
    tokens: float = 0.0,
) -> EndpointState | None:
    """Choose by load, then by who waited longest; None where nobody may be asked."""
    if len(states) > MANY:
        sample = [states[int(chance() * len(states))] for _ in range(SAMPLE)]
        return _least(sample, tried, now, tokens) or _least(states, tried, now, tokens)
    return _least(states, tried, now, tokens)


def _least(
    states: Sequence[EndpointState],
    tried: Collection[EndpointState],
    now: float,
    tokens: float,
) -> EndpointState | None:
    best, least = None, 0.0
    for state in states:
        if state.in_flight >= state.places or state in tried:
            continue
        if state.quiet:
            load = float(state.tokens)
        elif state.usable(now):
            load = state.load(now, tokens)
        else:
            continue
        if best is None or load < least or (load == least and state.picked < best.picked):
            best, least = state, load
    return best


def wait(states: Sequence[EndpointState], now: float) -> float:
    """Seconds until the first of the ejected may be asked again; 1 where nothing is known."""
    ends = [state.ejected_until - now for state in states if state.ejected_until > now]
    return max(1.0, min(ends, default=1.0))
