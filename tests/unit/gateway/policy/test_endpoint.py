"""What a worker knows of an endpoint decides whether it is asked, and how much it seems to do."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.load import Load
from gateway.policy.endpoint import (
    PENALTY_HALF_LIFE,
    TRIAL,
    TYPICAL,
    Ejection,
    EndpointState,
    Failure,
)
from tests.unit.gateway.places import known, place

NOW = 1000.0
BUSY, CUT, ERROR = Failure.BUSY, Failure.CUT, Failure.ERROR
REFUSED, RESET, SLOW = Failure.REFUSED, Failure.RESET, Failure.SLOW


def after(failures: Sequence[Failure], now: float = NOW, retry_after: float = 0.0) -> EndpointState:
    state = known()
    for failure in failures:
        state.failed(failure, now, retry_after)
    return state


@pytest.mark.parametrize(
    ("ready", "up", "usable"),
    [
        (True, True, True),
        (True, None, True),
        (True, False, False),
        (None, True, True),
        (None, None, True),
        (None, False, False),
        (False, True, False),
        (False, None, False),
        (False, False, False),
    ],
)
def test_a_probe_is_believed_over_unknown_and_a_no_over_the_probe(
    ready: bool | None, up: bool | None, usable: bool
) -> None:
    state = known(ready=ready)
    if up is not None:
        state.probed(up=up, started=NOW)
    assert state.usable(NOW) is usable


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        ([REFUSED], 1),
        ([SLOW], 5),
        ([RESET], 0),
        ([RESET, BUSY], 0),
        ([RESET, BUSY, CUT], 5),
        ([RESET] * 4, 10),
        ([REFUSED] * 2, 2),
        ([REFUSED] * 9, 10),
        ([SLOW] * 3, 20),
        ([SLOW] * 9, 60),
        ([SLOW] * 2000, 60),
        ([ERROR] * 9, 0),
        ([RESET, BUSY, ERROR], 0),
        ([RESET, BUSY, CUT, ERROR], 5),
    ],
)
def test_an_endpoint_that_fails_is_left_alone_for_a_while(
    failures: list[Failure], seconds: float
) -> None:
    state = after(failures)
    assert state.ejected_until == (NOW + seconds if seconds else 0.0)
    assert state.usable(NOW) is not bool(seconds)
    assert state.usable(NOW + seconds)


def test_one_good_answer_makes_up_for_the_failures_before_it() -> None:
    state = after([RESET, RESET])
    state.answered(NOW)
    state.failed(RESET, NOW)
    assert state.usable(NOW)


def test_ejections_are_short_again_after_an_answer() -> None:
    state = after([SLOW, SLOW])
    state.answered(NOW)
    state.failed(SLOW, NOW + 100)
    assert state.ejected_until == NOW + 105


def test_an_endpoint_that_comes_back_broken_is_left_alone_at_once_and_for_longer() -> None:
    state = after([RESET] * 3)
    state.failed(RESET, NOW + 5)
    assert state.ejected_until == NOW + 15


@pytest.mark.parametrize(("retry_after", "seconds"), [(0.5, 0.5), (20, 20), (3600, 60)])
def test_an_endpoint_that_says_for_how_long_is_believed_within_reason(
    retry_after: float, seconds: float
) -> None:
    state = after([BUSY], retry_after=retry_after)
    assert state.ejected_until == NOW + seconds


def test_a_shorter_sentence_does_not_end_a_longer_one() -> None:
    state = after([BUSY], retry_after=30)
    state.failed(REFUSED, NOW + 1)
    assert state.ejected_until == NOW + 30


@pytest.mark.parametrize(
    ("failures", "started", "usable"),
    [
        ([REFUSED], NOW + 0.1, True),
        ([RESET] * 3, NOW + 0.1, True),
        ([REFUSED], NOW, False),
        ([REFUSED], NOW - 0.1, False),
        ([SLOW], NOW + 0.1, False),
        ([CUT] * 3, NOW + 0.1, False),
        ([BUSY] * 3, NOW + 0.1, False),
    ],
)
def test_a_probe_ends_an_ejection_that_it_refutes(
    failures: list[Failure], started: float, usable: bool
) -> None:
    state = after(failures)
    state.probed(up=True, started=started)
    assert state.usable(NOW + 0.5) is usable


@pytest.mark.parametrize("lost", [[REFUSED], [RESET] * 3])
def test_a_probe_does_not_end_what_the_endpoint_itself_asked_for(lost: list[Failure]) -> None:
    state = after([BUSY], retry_after=30)
    for failure in lost:
        state.failed(failure, NOW + 1)
    state.probed(up=True, started=NOW + 2)
    assert not state.usable(NOW + 29)
    assert state.usable(NOW + 30)


def test_a_probe_that_finds_nobody_ends_nothing() -> None:
    state = after([REFUSED])
    state.probed(up=False, started=NOW + 0.1)
    assert state.ejected_until == NOW + 1
    assert not state.usable(NOW + 100)


@pytest.mark.parametrize("failure", list(Failure))
def test_a_failure_weighs_as_a_request_and_is_forgotten_in_time(failure: Failure) -> None:
    state = after([failure])
    loads = [state.load(NOW + halves * PENALTY_HALF_LIFE) for halves in (0, 1, 2)]
    assert loads == pytest.approx([TYPICAL, TYPICAL / 2, TYPICAL / 4])
    assert state.load(NOW + 100 * PENALTY_HALF_LIFE) == 0


def test_one_that_was_left_alone_is_tried_by_one_request_and_begins_slowly() -> None:
    state, later = after([SLOW]), NOW + 1000
    assert state.load(later) == 0
    state.in_flight, state.tokens = 1, int(TYPICAL)
    assert state.load(later) >= TRIAL
    state.began(later, in_time=True)
    seconds = (0, 1, 5, 9, 10, 100)
    loads = [state.load(later + each, TYPICAL) for each in seconds]
    expected = [19, 19, 3, 2 / 0.9 - 1, 1, 1]
    assert [load / TYPICAL for load in loads] == pytest.approx(expected)
    state.failed(SLOW, later + 200)
    state.began(later + 300, in_time=False)
    assert state.late
    assert state.load(later + 300) >= TRIAL


def test_one_that_comes_back_begins_slowly() -> None:
    probed, said = known(), known(ready=False)
    probed.probed(up=False, started=NOW)
    assert probed.load(NOW) == 0
    probed.probed(up=True, started=NOW)
    said.becomes(place(ready=True), NOW, 1)
    for state in (probed, said):
        assert state.load(NOW, 100) == pytest.approx(900)
        state.probed(up=True, started=NOW + 5)
        state.becomes(state.endpoint, NOW + 5, 1)
        assert state.load(NOW + 10) == 0


def test_an_answer_does_not_make_failures_forgotten() -> None:
    state = after([ERROR])
    state.answered(NOW)
    assert state.load(NOW) == TYPICAL


def test_what_failed_weighs_as_if_it_were_under_way() -> None:
    state = known()
    state.failed(BUSY, NOW, tokens=50)
    state.failed(BUSY, NOW, tokens=900)
    assert state.load(NOW) == 950


def test_others_requests_weigh_as_much_as_ours() -> None:
    state = known()
    state.in_flight, state.tokens = 2, 6000
    for _ in range(100):
        state.told(Load(ready=1, in_flight=5))
    assert state.load(NOW) == pytest.approx(15_000, rel=0.01)


def test_replicas_share_the_work_while_a_region_says_nothing_for_once() -> None:
    state = known()
    state.in_flight, state.tokens = 1, 800
    state.told(Load(ready=4, in_flight=1))
    assert state.load(NOW) == 200
    state.told(None)
    assert state.load(NOW) == 200


@given(st.lists(st.tuples(st.sampled_from(Failure), st.floats(0, 30), st.floats(0, 100))))
def test_however_it_fails_an_endpoint_is_asked_again_within_a_minute(
    failures: list[tuple[Failure, float, float]],
) -> None:
    state, now, rules = known(), NOW, Ejection()
    for failure, later, retry_after in failures:
        now += later
        state.failed(failure, now, retry_after if failure is BUSY else 0.0)
        assert state.ejected_until <= now + rules.max_seconds
        assert state.load(now) >= TYPICAL
    assert state.usable(now + rules.max_seconds)
