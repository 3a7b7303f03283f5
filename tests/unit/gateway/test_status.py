"""How endpoints stand, and why, as a person asks."""

import msgspec
import pytest

from gateway.load import Load
from gateway.metrics import Counts, Report
from gateway.policy.endpoint import EndpointState, Failure
from gateway.standing import FAILED, Standing, State, standing
from gateway.status import render
from tests.unit.gateway.places import known

NOW = 1000.0


def down() -> EndpointState:
    state = known()
    state.probed(up=False, started=NOW)
    return state


def locked() -> EndpointState:
    state = known()
    state.lets_in(at_hand=False)
    return state


def failed(failure: Failure, now: float = NOW) -> EndpointState:
    state = known()
    state.failed(failure, now, 7.0)
    return state


@pytest.mark.parametrize(
    ("state", "expected", "reason"),
    [
        (known(), State.READY, ""),
        (down(), State.DOWN, "probe"),
        (known(ready=False), State.NOT_READY, "Kubernetes"),
        (locked(), State.NOT_READY, "GATEWAY_CREDENTIALS_DIR"),
        (failed(Failure.BUSY), State.EJECTED, "busy (429, 502, 503 or 504); left alone for 7 s"),
        (failed(Failure.SLOW, NOW - 60), State.READY, "did not answer in time; on trial"),
    ],
)
def test_an_endpoint_that_is_not_simply_ready_says_why(
    state: EndpointState, expected: State, reason: str
) -> None:
    told = standing("phi", state, NOW)
    assert told.state is expected
    assert reason in told.reason
    assert bool(reason) == bool(told.reason)


def test_every_failure_has_words() -> None:
    assert set(FAILED) == set(Failure)


def test_workers_see_an_endpoint_together() -> None:
    load = Load(2, 3, 1, 0.5)
    seen = (
        {
            "b": Standing("phi", "eu", State.READY, 1, tokens=50),
            "a": Standing("phi", "us", State.READY, 0),
        },
        {"b": Standing("phi", "eu", State.EJECTED, 2, "it is slow", load, 700)},
    )
    reports = [Report(Counts(), standings, {"phi": 2}) for standings in seen]
    assert msgspec.json.decode(render(Counts(), reports)) == {
        "workers": 2,
        "waiting": {"phi": 4},
        "endpoints": [
            {"name": "a", "model": "phi", "region": "us", "state": "ready", "inFlight": 0},
            {
                "name": "b",
                "model": "phi",
                "region": "eu",
                "state": "ejected",
                "inFlight": 3,
                "tokens": 750,
                "reason": "it is slow",
                "load": {"ready": 2, "inFlight": 3, "waiting": 1, "kvUse": 0.5},
            },
        ],
    }
