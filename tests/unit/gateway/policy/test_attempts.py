"""One request's tries: each on another endpoint, as many as are allowed, and all given back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.attempts import Attempts, Rules
from gateway.policy.budget import RetryBudget
from gateway.policy.endpoint import EndpointState, Failure
from tests.unit.gateway.places import several

NOW = 1000.0


def rules(attempts: int = 3, tokens: float = 1000.0) -> Rules:
    budget = RetryBudget(tokens=tokens, per_second=0.0, per_request=0.0)
    return Rules(chance=lambda: 0.0, attempts=attempts, budget=budget)


def tries(attempts: Attempts, states: list[EndpointState]) -> list[str]:
    """Try until the request has to be given up."""
    names = list[str]()
    while state := attempts.next(states, NOW):
        names.append(state.endpoint.name)
        attempts.failed(Failure.RESET, NOW)
    return names


@pytest.mark.parametrize(
    ("places", "allowed", "expected"),
    [
        (5, 3, ["demo/0", "demo/1", "demo/2"]),
        (2, 3, ["demo/0", "demo/1"]),
        (5, 1, ["demo/0"]),
        (0, 3, []),
    ],
)
def test_each_try_asks_another_endpoint(places: int, allowed: int, expected: list[str]) -> None:
    attempts, states = Attempts(rules(allowed)), several(places)
    assert tries(attempts, states) == expected
    assert [state.endpoint.name for state in attempts.tried] == expected
    assert not attempts.another(states, NOW)


def test_an_endpoint_new_since_the_last_try_may_be_asked() -> None:
    attempts, states = Attempts(rules()), several(2)
    attempts.next(states[:1], NOW)
    assert not attempts.another(states[:1], NOW)
    assert attempts.another(states, NOW)


def test_a_try_reserves_its_endpoint_until_it_ends() -> None:
    (state,) = several(1)
    for end in ("answered", "cancelled", "failed"):
        attempts = Attempts(rules())
        assert attempts.next([state], NOW) is state
        assert state.in_flight == 1
        if end == "failed":
            attempts.failed(Failure.ERROR, NOW)
        elif end == "answered":
            attempts.answered(NOW)
        else:
            attempts.cancelled()
        assert state.in_flight == 0


def test_a_client_that_leaves_says_nothing_of_the_endpoint() -> None:
    (state,) = several(1)
    for _ in range(9):
        attempts = Attempts(rules())
        attempts.next([state], NOW)
        attempts.cancelled()
    assert (state.load(NOW), state.usable(NOW)) == (0, True)


def test_failures_of_many_requests_add_up() -> None:
    (state,) = several(1)
    for _ in range(3):
        attempts = Attempts(rules())
        attempts.next([state], NOW)
        attempts.failed(Failure.CUT, NOW)
    assert not state.usable(NOW)
    assert Attempts(rules()).next([state], NOW) is None


def test_the_wait_that_an_endpoint_asks_for_reaches_it() -> None:
    (state,) = several(1)
    attempts = Attempts(rules())
    attempts.next([state], NOW)
    attempts.failed(Failure.BUSY, NOW, 17)
    assert state.ejected_until == NOW + 17


def test_an_end_counts_once_whatever_is_told_after_it() -> None:
    (state,) = several(1)
    attempts = Attempts(rules())
    attempts.next([state], NOW)
    attempts.answered(NOW)
    attempts.failed(Failure.CUT, NOW)
    attempts.cancelled()
    assert state.in_flight == 0
    assert state.load(NOW) == 0


def test_a_first_try_costs_nothing_and_a_retry_one_token() -> None:
    shared, states = rules(tokens=1), several(3)
    first, second = Attempts(shared), Attempts(shared)
    assert len(tries(first, states)) == 2
    assert len(tries(second, states)) == 1


def test_a_slow_try_is_not_given_up_for_a_retry_that_nobody_pays() -> None:
    states = several(3)
    for tokens, possible in ((1.0, True), (0.5, False)):
        attempts = Attempts(rules(tokens=tokens))
        attempts.next(states, NOW)
        assert attempts.another(states, NOW) is possible
        assert (attempts.next(states, NOW) is not None) is possible


def test_asking_whether_there_is_another_costs_nothing() -> None:
    attempts, states = Attempts(rules(tokens=1)), several(3)
    attempts.next(states, NOW)
    assert all(attempts.another(states, NOW) for _ in range(5))
    assert attempts.next(states, NOW) is not None


ENDS = st.sampled_from(["answered", "failed", "cancelled"])


@given(st.lists(st.tuples(st.integers(0, 5), ENDS, st.sampled_from(Failure)), max_size=40))
def test_whatever_becomes_of_requests_no_load_is_left_over(
    events: list[tuple[int, str, Failure]],
) -> None:
    states, shared = several(3), rules()
    requests = [Attempts(shared) for _ in range(6)]
    for which, end, failure in events:
        attempts = requests[which]
        if attempts.current is None:
            attempts.next(states, NOW)
        elif end == "failed":
            attempts.failed(failure, NOW)
        elif end == "answered":
            attempts.answered(NOW)
        else:
            attempts.cancelled()
        held = [attempts.current for attempts in requests if attempts.current]
        assert [state.in_flight for state in states] == [held.count(state) for state in states]
        assert all(len(set(each.tried)) == len(each.tried) <= 3 for each in requests)
