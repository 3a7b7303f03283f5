"""Logs of a fleet by their names."""

from pathlib import Path

import pytest

from cli.local import logs
from cli.local.errors import LocalError
from cli.local.topology import Fleet


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    made = Fleet("t", 1, ("us",), tmp_path)
    made.logs.mkdir()
    (made.logs / "hub.log").write_text("one\ntwo\nthree\n")
    components = made.cluster_home("us") / "logs"
    components.mkdir(parents=True)
    (components / "etcd.log").write_text("ready\n")
    return made


def test_logs_are_named_after_their_programs(fleet: Fleet) -> None:
    assert sorted(logs.files(fleet)) == ["hub", "us-etcd"]


def test_without_a_name_our_own_programs_are_shown(fleet: Fleet) -> None:
    assert list(logs.chosen(fleet, None)) == ["hub"]


def test_a_name_that_there_is_not_is_told_with_those_that_there_are(fleet: Fleet) -> None:
    with pytest.raises(LocalError, match="no log `nope`: there are hub, us-etcd"):
        logs.chosen(fleet, "nope")


def test_the_last_lines_are_shown(fleet: Fleet) -> None:
    assert logs.last_lines(fleet.logs / "hub.log", 2) == ["two", "three"]


def test_lines_are_followed_when_they_are_whole(fleet: Fleet) -> None:
    log = fleet.logs / "hub.log"
    with log.open("a") as file:
        lines = logs.follow({"hub": log}, from_start=True)
        assert [next(lines) for _ in range(3)][-1] == ("hub", "three")
        file.write("four\nfi")
        file.flush()
        assert next(lines) == ("hub", "four")
        file.write("ve\n")
        file.flush()
        assert next(lines) == ("hub", "five")
