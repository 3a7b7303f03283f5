"""Users hear of a member that falls silent and is heard again, and of none that is new."""

from fleet.testing.heard import Heard
from hub.silence_events import tell_of_silence
from tests.unit.hub.test_heartbeats import PERIOD, Ward


def test_silence_and_its_end_are_told_once_each() -> None:
    ward, heard = Ward(), Heard()
    tell_of_silence(ward.heartbeats, ward.clusters, heard.tell)
    ward.beat("eu", "us")
    ward.beat("eu", "us")
    assert heard.take() == []
    for _ in range(5):
        ward.wait(PERIOD)
        ward.beat("us")
    assert [name for name, _ in heard.all] == ["eu"]
    assert heard.take() == ["MemberClusterSilent!"]
    ward.beat("eu")
    assert heard.take() == ["MemberClusterBack"]
