"""Silence is what the hub itself did not hear, and never what a member's clock says."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from fleet.api.cluster import MemberCluster
from fleet.kube.cache import Cache
from hub.heartbeats import Heartbeats

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PERIOD = 5.0


def member(name: str, beat: datetime | None, period: float = PERIOD) -> MemberCluster:
    agents = [] if beat is None else [{"type": "MemberAgent", "lastReceivedHeartbeat": beat}]
    return MemberCluster.model_validate(
        {
            "metadata": {"name": name, "uid": f"uid-{name}"},
            "spec": {
                "identity": {"kind": "User", "name": name},
                "heartbeatPeriodSeconds": int(period),
            },
            "status": {"agentStatus": agents},
        }
    )


class Ward:
    """Heartbeats under a clock that a test turns."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.clusters = Cache(MemberCluster)
        self.heartbeats = Heartbeats(
            lambda: self.seconds, lambda: NOON + timedelta(seconds=self.seconds - 1_000)
        )
        self.heartbeats.follow(self.clusters)
        self.turned: list[str] = []
        self.heartbeats.on_change(self.turned.append)
        self.beats = 0

    def beat(self, *names: str, period: float = PERIOD) -> None:
        """Let members report, by clocks that are years behind the hub's."""
        self.beats += 1
        for name in names:
            when = NOON - timedelta(days=999) + timedelta(seconds=self.beats)
            self.clusters.put(member(name, when, period).manifest())

    def wait(self, seconds: float) -> None:
        self.seconds += seconds
        self.heartbeats.tick()

    @property
    def silent(self) -> Sequence[str]:
        return sorted(self.heartbeats.silences())


def heard(*names: str) -> Ward:
    """Begin with members that were heard once since the start."""
    ward = Ward()
    ward.beat(*names)
    ward.beat(*names)
    ward.turned.clear()
    return ward


@pytest.mark.parametrize(("seconds", "silent"), [(14.9, []), (15.0, ["us"])])
def test_a_member_falls_silent_after_three_missed_heartbeats(
    seconds: float, silent: list[str]
) -> None:
    ward = heard("us")
    ward.wait(seconds)
    assert ward.silent == silent
    assert ward.turned == silent
    assert ward.heartbeats.silent("us") is bool(silent)
    assert ward.heartbeats.silences() == {name: pytest.approx(seconds) for name in silent}


def test_a_member_that_beats_is_never_silent_whatever_its_clock_says() -> None:
    ward = heard("us")
    for _ in range(100):
        ward.wait(14)
        ward.beat("us")
    assert (ward.silent, ward.turned) == ([], [])


def test_the_same_heartbeat_seen_again_is_no_sign_of_life() -> None:
    ward = heard("us")
    live = ward.clusters.all()[0]
    ward.wait(10)
    labelled = live.metadata.model_copy(update={"labels": {"a": "b"}})
    ward.clusters.put(live.model_copy(update={"metadata": labelled}).manifest())
    ward.wait(10)
    assert ward.silent == ["us"]


def test_a_silent_member_is_heard_again_at_once_and_listeners_hear_of_both() -> None:
    ward = heard("us", "eu")
    ward.wait(10)
    ward.beat("eu")
    ward.wait(10)
    assert ward.silent == ["us"]
    ward.beat("us")
    assert ward.silent == []
    assert ward.turned == ["us", "us"]


def test_a_member_told_to_report_less_often_is_waited_for_longer() -> None:
    ward = heard("us")
    ward.beat("us", period=60)
    ward.wait(179)
    assert ward.silent == []
    ward.wait(1)
    assert ward.silent == ["us"]


def test_a_member_that_left_is_not_silent() -> None:
    ward = heard("us")
    ward.wait(15)
    ward.clusters.remove(ward.clusters.keys()[0])
    assert ward.silent == []


def test_after_a_gap_in_the_watch_silence_begins_anew() -> None:
    ward = heard("us")
    ward.wait(14)
    ward.clusters.gap()
    ward.wait(14)
    assert ward.silent == []
    ward.wait(1)
    assert ward.silent == ["us"]


def test_while_the_watch_is_lost_nobody_falls_silent_and_no_silence_grows() -> None:
    ward = heard("us", "eu")
    ward.wait(10)
    ward.beat("eu")
    ward.wait(10)
    ward.clusters.lost()
    ward.wait(100)
    ward.clusters.lost()
    ward.wait(100)
    assert ward.silent == ["us"]
    assert ward.heartbeats.silences() == {"us": 20}
    ward.clusters.gap()
    ward.wait(15)
    assert ward.silent == ["eu", "us"]


def test_a_late_heartbeat_is_no_silence_yet() -> None:
    ward = heard("us", "eu")
    ward.wait(7)
    assert ward.heartbeats.overdue() == {}
    ward.beat("eu")
    ward.wait(1)
    assert ward.heartbeats.overdue() == {"us": 8}
    ward.wait(10)
    assert (ward.silent, ward.heartbeats.overdue()) == (["us"], {"eu": 11})


def test_who_was_silent_before_a_gap_stays_so_until_it_is_heard() -> None:
    ward = heard("us")
    ward.wait(100)
    ward.clusters.gap()
    assert ward.silent == ["us"]
    ward.beat("us")
    assert ward.silent == []


def test_after_a_gap_the_seconds_of_a_silent_member_begin_anew() -> None:
    ward = heard("us")
    ward.wait(100)
    assert ward.heartbeats.silences() == {"us": 100}
    ward.clusters.gap()
    assert ward.heartbeats.silences() == {"us": 0}
    ward.wait(10)
    assert ward.heartbeats.silences() == {"us": 10}


@pytest.mark.parametrize(
    ("age", "silent"),
    [(timedelta(seconds=14), []), (timedelta(seconds=60), ["us"]), (None, [])],
    ids=["beat lately", "beat long ago", "never beat"],
)
def test_at_the_start_only_the_timestamp_tells_who_is_silent(
    age: timedelta | None, silent: list[str]
) -> None:
    ward = Ward()
    ward.clusters.put(member("us", None if age is None else NOON - age).manifest())
    assert ward.silent == silent


def test_the_hours_before_the_start_of_the_hub_do_not_count() -> None:
    ward = Ward()
    ward.clusters.put(member("us", NOON - timedelta(hours=1)).manifest())
    assert ward.heartbeats.silences() == {"us": 0}
    ward.wait(20)
    assert ward.heartbeats.silences() == {"us": 20}


@pytest.mark.parametrize(
    ("age", "beats", "stale"),
    [(299, False, []), (300, False, ["us"]), (999 * 86_400, True, []), (9, True, ["us"])],
    ids=["lately", "long ago", "long ago by a clock that is wrong", "set back since"],
)
def test_a_member_not_heard_since_the_start_is_stale_by_its_last_heartbeat(
    age: float, *, beats: bool, stale: list[str]
) -> None:
    ward = Ward()
    ward.clusters.put(member("us", NOON - timedelta(seconds=age)).manifest())
    if beats:
        ward.beat("us")
    assert sorted(ward.heartbeats.stale(300)) == stale
    assert ward.turned == (["us"] if beats else [])


async def test_time_alone_makes_members_silent() -> None:
    ward = heard("us")
    ward.seconds += 15
    running = asyncio.create_task(ward.heartbeats.run())
    await asyncio.sleep(0)
    running.cancel()
    assert ward.silent == ["us"]


def test_of_an_unknown_member_nothing_is_known() -> None:
    assert Ward().heartbeats.silent("us") is False
