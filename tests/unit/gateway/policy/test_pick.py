"""The endpoint with the least to do gets the next request."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.load import Load
from gateway.policy.attempts import Attempts, Rules
from gateway.policy.endpoint import TYPICAL, EndpointState, Failure
from gateway.policy.pick import MANY, pick, wait
from tests.unit.gateway.places import known, several

NOW = 1000.0


def never() -> float:
    raise AssertionError("chance is for more endpoints")


def drawn(seed: int) -> Callable[[], float]:
    return Random(seed).random  # noqa: S311 - the same in every run is what a test wants


def rules(chance: Callable[[], float] = never) -> Rules:
    return Rules(chance=chance)


@given(st.integers(1, MANY), st.integers(0, 100))
def test_simultaneous_requests_spread_evenly(places: int, requests: int) -> None:
    states, shared = several(places), rules()
    for _ in range(requests):
        assert Attempts(shared).next(states, NOW)
    loads = [state.in_flight for state in states]
    assert sum(loads) == requests
    assert max(loads) - min(loads) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_simultaneous_requests_spread_well_where_only_a_sample_is_compared(seed: int) -> None:
    states, shared = several(100), rules(drawn(seed))
    for _ in range(1000):
        assert Attempts(shared).next(states, NOW)
    assert max(state.in_flight for state in states) <= 13


def test_a_long_request_weighs_as_many_short_ones() -> None:
    states, shared = several(2), rules()
    long = Attempts(shared, 2000)
    long.next(states, NOW)
    short = [Attempts(shared, 100).next(states, NOW) for _ in range(25)]
    assert short[:20] == [states[1]] * 20
    assert set(short[20:]) == set(states)
    long.answered(NOW)
    assert [Attempts(shared, 100).next(states, NOW) for _ in range(15)] == [states[0]] * 15


@given(st.lists(st.integers(0, 40), max_size=100), st.integers(1, 6))
def test_the_least_loaded_is_next_whenever_others_end(ends: list[int], places: int) -> None:
    states, shared, open_ = several(places), rules(), list[Attempts]()
    for end in ends:
        attempts = Attempts(shared)
        least = min(state.in_flight for state in states)
        chosen = attempts.next(states, NOW)
        assert chosen is not None
        assert chosen.in_flight == least + 1
        open_.append(attempts)
        if end < len(open_):
            open_.pop(end).answered(NOW)
        assert sum(state.in_flight for state in states) == len(open_)


def test_of_equals_the_one_that_waited_longest_is_next() -> None:
    states, shared, order = several(3), rules(), list[str]()
    for _ in range(6):
        attempts = Attempts(shared)
        chosen = attempts.next(states, NOW)
        assert chosen is not None
        order.append(chosen.endpoint.name)
        attempts.answered(NOW)
    assert order == ["demo/0", "demo/1", "demo/2"] * 2


@pytest.mark.parametrize("places", [3, 40])
def test_the_only_one_that_may_be_asked_is_found(places: int) -> None:
    states = several(places)
    for state in states[1:]:
        state.probed(up=False, started=NOW)
    chance = drawn(1)
    assert {pick(states, (), NOW, chance) for _ in range(20)} == {states[0]}
    assert pick(states, (states[0],), NOW, chance) is None


def test_nobody_is_picked_where_nobody_is() -> None:
    assert pick([], (), NOW, never) is None


@pytest.mark.parametrize("failure", [Failure.ERROR, Failure.RESET, Failure.REFUSED])
def test_an_endpoint_that_fails_at_once_does_not_look_idle(failure: Failure) -> None:
    states, shared = several(2), rules()
    bad, good = states
    working, asked = list[tuple[float, Attempts]](), 0
    for tenth in range(600):
        now = NOW + tenth / 10
        while working and working[0][0] <= now:
            working.pop(0)[1].answered(NOW)
        attempts = Attempts(shared)
        if attempts.next(states, now) is bad:
            asked += 1
            attempts.failed(failure, now)
        else:
            assert attempts.current is good
            working.append((now + 1, attempts))
    assert 1 <= asked <= 60


def ejected(seconds: float) -> EndpointState:
    state = known()
    state.failed(Failure.BUSY, NOW, seconds)
    return state


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [([], 1), ([0], 1), ([30], 30), ([30, 12, 0], 12), ([0.2, 30], 1), ([3600], 60)],
)
def test_a_client_is_told_to_wait_for_the_first_that_comes_back(
    seconds: list[float], expected: float
) -> None:
    states = [ejected(each) if each else known() for each in seconds]
    assert wait(states, NOW) == expected
    assert wait(states, NOW + 100) == 1


def test_a_queue_and_a_full_cache_weigh_and_replicas_share() -> None:
    crowded, full, large = several(3)
    crowded.told(Load(ready=1, in_flight=4, waiting=4))
    full.told(Load(ready=1, kv_use=0.95))
    large.told(Load(ready=4, in_flight=4, waiting=4))
    assert pick([crowded, full, large], (), NOW, never) is large
    assert pick([crowded, full, large], (large,), NOW, never) is crowded
    large.tokens = 33 * int(TYPICAL)
    assert pick([crowded, large], (), NOW, never) is crowded
    crowded.told(None)
    large.tokens = 0
    assert pick([crowded, large], (), NOW, never) is crowded
