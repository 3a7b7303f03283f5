"""Whether another system is there, as its Lease and two clocks tell it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fleet.api.keys import Key
from fleet.kube.rivals import KAITO, KUBEFLEET_HUB, Presence, Sight, judge, see

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = Key("kaito-workspace", KAITO.lease)


def spec(age: float = 2.0, holder: str = "kaito-0", **more: Any) -> dict[str, Any]:
    renewed = (NOON - timedelta(seconds=age)).isoformat(timespec="microseconds")
    told = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": renewed}
    return told | more


@pytest.mark.parametrize(
    ("given", "later", "presence", "until"),
    [
        (spec(), 0, Presence.THERE, 15),
        (spec(), 14.9, Presence.DOUBTFUL, 15),
        (spec(), 15, Presence.GONE, None),
        (spec(-14), 0, Presence.THERE, 15),
        (spec(300), 0, Presence.DOUBTFUL, 15),
        (spec(-300), 0, Presence.DOUBTFUL, 15),
        (spec(300), 15, Presence.GONE, None),
        (spec(86400), 0, Presence.GONE, None),
        (spec(holder=""), 0, Presence.GONE, None),
        (spec(holder="", leaseDurationSeconds=1), 0, Presence.GONE, None),
        (spec(50, leaseDurationSeconds=60), 0, Presence.THERE, 60),
        (spec(renewTime=None), 0, Presence.GONE, None),
        (spec(renewTime="yesterday"), 0, Presence.GONE, None),
        (spec(leaseDurationSeconds=None), 0, Presence.THERE, 15),
        ({}, 0, Presence.GONE, None),
    ],
)
def test_the_first_sight_goes_by_both_clocks(
    given: dict[str, Any], later: float, presence: Presence, until: float | None
) -> None:
    sight = see(None, KEY, given, now=0.0)
    assert judge(sight, now=later, wall=NOON + timedelta(seconds=later)) == (presence, until)


@pytest.mark.parametrize("off", [0, 300, -300, 86400, -86400])
def test_what_is_renewed_before_our_eyes_is_there_whatever_its_clock_says(off: float) -> None:
    first = see(None, KEY, spec(off), now=100.0)
    again = see(first, KEY, spec(off - 2), now=102.0)
    assert see(again, KEY, spec(off - 2), now=110.0) == again
    assert judge(again, now=110.0, wall=NOON) == (Presence.THERE, 117.0)
    assert judge(again, now=117.0, wall=NOON) == (Presence.GONE, None)


def test_what_is_let_go_is_gone_at_once() -> None:
    held = see(None, KEY, spec(), now=0.0)
    released: Sight = see(held, KEY, spec(holder=""), now=1.0)
    assert judge(released, now=1.0, wall=NOON) == (Presence.GONE, None)


@pytest.mark.parametrize(
    ("key", "owned"),
    [
        (Key("fleet-system", KUBEFLEET_HUB.lease), True),
        (Key("fleet-member-us", KUBEFLEET_HUB.lease), False),
        (Key("fleet-system", KAITO.lease), False),
    ],
)
def test_a_member_cannot_speak_for_a_hub(key: Key, *, owned: bool) -> None:
    assert KUBEFLEET_HUB.owns(key) is owned
