"""Retries are paid from what requests and time bring in."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.budget import RetryBudget

NOW = 1000.0
EVENTS = st.lists(st.tuples(st.sampled_from(["request", "spend"]), st.floats(0, 5)), max_size=200)


def test_a_lost_region_may_use_the_whole_budget_at_once() -> None:
    budget = RetryBudget()
    assert [budget.spend(NOW) for _ in range(1001)] == [True] * 1000 + [False]


def test_a_spent_budget_comes_back_with_requests_and_with_time() -> None:
    budget = RetryBudget(tokens=0.0, seen=NOW)
    for _ in range(4):
        budget.request()
        assert not budget.spend(NOW)
    budget.request()
    assert budget.spend(NOW)
    assert not budget.spend(NOW + 0.05)
    assert budget.spend(NOW + 0.1)


def test_to_ask_whether_a_retry_can_be_paid_takes_nothing() -> None:
    budget = RetryBudget(tokens=1.0, seen=NOW)
    assert all(budget.affords(NOW) for _ in range(5))
    assert budget.spend(NOW)
    assert not budget.affords(NOW)


@given(EVENTS)
def test_retries_never_exceed_what_came_in(events: list[tuple[str, float]]) -> None:
    budget, now, requests, retries = RetryBudget(capacity=10.0, tokens=10.0, seen=NOW), NOW, 0, 0
    for event, later in events:
        now += later
        if event == "request":
            budget.request()
            requests += 1
        else:
            retries += budget.spend(now)
        assert retries <= 10 + 0.2 * requests + 10 * (now - NOW) + 1e-6
        assert 0 <= budget.tokens < 10 + 0.2
