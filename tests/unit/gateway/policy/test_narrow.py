"""Priority, region, weight and likeness decide which endpoints come into question."""

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.load import Load
from gateway.policy.affinity import passed, prefix, session
from gateway.policy.endpoint import EndpointState, Failure
from gateway.policy.narrow import bound, digest, narrowed, plain, tiers
from tests.unit.gateway.places import known

NOW = 1000.0


def chance() -> float:
    return 0.0


def names(states: object) -> list[str]:
    assert isinstance(states, (list, tuple))
    return [state.endpoint.name for state in states]


def ranked(*states: EndpointState, region: str = "") -> list[list[str]]:
    return [names(tier) for tier in tiers(states, region)]


def test_priorities_come_in_their_order_and_the_own_region_first_in_each() -> None:
    states = (
        known("bought", priority=2, region="eu"),
        known("us", region="us"),
        known("eu", region="eu"),
        known("eu-2", region="eu"),
    )
    assert ranked(*states) == [["us", "eu", "eu-2"], ["bought"]]
    assert ranked(*states, region="eu") == [["eu", "eu-2"], ["us"], ["bought"]]
    assert ranked(*states, region="mars") == [["us", "eu", "eu-2"], ["bought"]]


def test_of_a_priority_the_cheaper_come_first_wherever_they_are() -> None:
    states = (
        known("api", cost=(1.5, 0.0), region="eu"),
        known("eu", cost=(0.0, 3.6), region="eu"),
        known("us", cost=(0.0, 2.4), region="us"),
        known("last", priority=1),
    )
    assert ranked(*states, region="eu") == [["us"], ["eu"], ["api"], ["last"]]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((), True),
        ((known("a"), known("b")), True),
        ((known("a", weight=5), known("b", weight=5)), True),
        ((known("a"), known("b", weight=2)), False),
        ((known("a"), known("b", priority=1)), False),
        ((known("a", weight=0),), False),
    ],
)
def test_a_service_is_plain_where_all_endpoints_are_alike(
    states: tuple[EndpointState, ...], *, expected: bool
) -> None:
    assert plain(states, tiers(states, "")) is expected


def test_the_next_priority_is_for_when_the_first_is_no_use() -> None:
    first, second = known("first", places=1), known("second", priority=1)
    ranks = ((first,), (second,))

    def found(*tried: EndpointState, now: float = NOW) -> list[str]:
        return names(narrowed(ranks, tried, now, chance))

    assert found() == ["first"]
    assert found(first) == ["second"]
    first.in_flight = 1
    assert found() == ["second"]
    first.in_flight = 0
    first.probed(up=False, started=NOW)
    assert found() == ["second"]
    first.probed(up=True, started=NOW)
    first.failed(Failure.SLOW, NOW)
    assert found() == ["second"]
    assert found(now=NOW + 10) == ["first"]
    assert found(first, second) == []


def test_one_on_trial_gets_more_only_where_nobody_else_is() -> None:
    first, second = known("first"), known("second", priority=1)
    first.failed(Failure.SLOW, NOW)
    first.in_flight = 1
    assert names(narrowed(((first,), (second,)), (), NOW + 10, chance)) == ["second"]
    assert names(narrowed(((first,), (second,)), (second,), NOW + 10, chance)) == ["first"]


def test_weights_share_requests_and_those_of_one_weight_come_together() -> None:
    states = (known("a", weight=45), known("b", weight=45), known("canary", weight=10))
    draw = Random(7).random  # noqa: S311 - the same in every run is what a test wants
    drawn = Counter(tuple(names(narrowed((states,), (), NOW, draw))) for _ in range(10_000))
    assert set(drawn) == {("a", "b"), ("canary",)}
    assert drawn["canary",] == pytest.approx(1000, abs=150)
    assert names(narrowed((states,), states[:2], NOW, draw)) == ["canary"]
    assert names(narrowed((states,), (), NOW, lambda: 1.0)) == ["a", "b"]


@given(st.integers(1, 2**64 - 1), st.integers(1, 8))
def test_equal_keys_lead_to_the_same_endpoint_while_it_is_there(key: int, places: int) -> None:
    states = [known(f"demo/{number}") for number in range(places)]
    chosen = bound(states, key)
    assert bound(states[::-1], key) is chosen
    for other in states:
        if other is not chosen:
            assert bound([state for state in states if state is not other], key) is chosen
    chosen.in_flight = 100
    assert places == 1 or bound(states, key) is not chosen


def test_keys_spread_evenly_and_stay_when_one_endpoint_is_gone() -> None:
    states = [known(f"demo/{number}") for number in range(3)]
    keys = [digest(str(number).encode()) for number in range(3000)]
    before = {key: bound(states, key) for key in keys}
    assert all(abs(number - 1000) < 150 for number in Counter(before.values()).values())
    for key, state in before.items():
        if state is not states[0]:
            assert bound(states[1:], key) is state


def large(name: str, replicas: int, **fields: Any) -> EndpointState:
    state = known(name, **fields)
    state.told(Load(ready=replicas))
    state.told(None)
    return state


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([large("a", 8), known("b")], [8 / 9, 1 / 9]),
        ([large("a", 3), large("b", 1), known("c")], [0.6, 0.2, 0.2]),
        ([large("a", 8, weight=95), known("canary", weight=5)], [0.95, 0.05]),
        ([large("a", 3, weight=2), known("b", weight=2), known("c", weight=1)], [0.6, 0.2, 0.2]),
        ([known("a", weight=0), large("b", 3, weight=0)], [0.25, 0.75]),
    ],
)
def test_keys_spread_by_weight_and_by_replicas(
    states: list[EndpointState], expected: list[float]
) -> None:
    keys = [digest(str(number).encode()) for number in range(3000)]
    found = Counter(bound(states, key) for key in keys)
    assert [found[state] / len(keys) for state in states] == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize(
    ("busy", "others", "stays"),
    [(0, 0, True), (1, 5, False), (1, 9, True), (2, 9, False), (2, 20, True)],
)
def test_a_small_region_gets_no_more_alike_than_it_bears(
    busy: int, others: int, *, stays: bool
) -> None:
    eight, one = states = [large("eight", 8), known("one")]
    key = next(key for key in range(1, 1000) if bound(states, key) is one)
    one.in_flight, eight.in_flight = busy, others
    assert (bound(states, key) is one) is stays


def test_keys_stay_where_they_are_when_replicas_come_or_go() -> None:
    eight, four = states = [large("eight", 8), large("four", 4)]
    keys = [digest(str(number).encode()) for number in range(3000)]
    before = {key: bound(states, key) for key in keys}
    four.told(Load(ready=5))
    moved = [key for key in keys if bound(states, key) is not before[key]]
    assert all(before[key] is eight for key in moved)
    assert len(moved) < 0.1 * len(keys)


def test_turns_of_a_conversation_are_alike_and_other_prompts_are_not() -> None:
    system = "You are a helpful assistant. " * 10
    first = f'{{"model": "a", "messages": [{{"role": "system", "content": "{system}"'.encode()
    turns = [first + b'}, {"role": "user"}]}', first + b'}, {"role": "user"}, {}], "n": 1}']
    assert len({prefix(turn, 256) for turn in turns}) == 1
    assert prefix(b'{"n": 5, ' + turns[0][1:], 256) == prefix(turns[0], 256)
    assert prefix(turns[0].replace(b"helpful", b"useless"), 256) != prefix(turns[0], 256)
    assert prefix(b'{"model": "a"}', 256) == 0
    assert prefix(b'{"prompt": "Hi"}', 256) != 0


@pytest.mark.parametrize(
    ("value", "key"), [(b"", 0), (b"ff", 255), (b"x", 0), (b"1" + b"0" * 16, 0), (b"-1", 2**64 - 1)]
)
def test_a_key_that_another_gateway_found_is_taken_as_it_is(value: bytes, key: int) -> None:
    assert passed(value) == key


def test_a_session_without_a_name_is_none() -> None:
    assert session(b"") == 0
    assert session(b"a") == session(b"a") != session(b"b")
