"""Fleets side by side on one machine."""

import socket
import threading
from pathlib import Path

import pytest

from cli.local.errors import LocalError
from cli.local.progress import Progress
from cli.local.registry import Registry
from cli.local.topology import DEFAULT, REGIONS, Fleet

ALL = tuple(REGIONS)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


def test_a_fleet_keeps_its_ports(registry: Registry) -> None:
    made = registry.create("bench", ALL)
    assert registry.create("bench", ALL) == made
    assert registry.find("bench") == made


def test_members_are_in_their_usual_order(registry: Registry) -> None:
    assert registry.create("t", ("eu", "us")).members == ("us", "eu")


def test_a_fleet_that_is_there_does_not_change_its_members(registry: Registry) -> None:
    registry.create("t", ("us",))
    with pytest.raises(LocalError, match="fleet `t` has members us"):
        registry.create("t", ALL)


def test_a_member_without_a_region_is_named(registry: Registry) -> None:
    with pytest.raises(LocalError, match="unknown member mars: there are us, eu, apac"):
        registry.create("t", ("us", "mars"))


def test_two_names_that_want_the_same_ports_get_different_ones(registry: Registry) -> None:
    names = [f"fleet-{number}" for number in range(20)]
    slots = [registry.create(name, ("us",)).slot for name in names]
    assert len(set(slots)) == len(names)
    assert 0 not in slots


def test_ports_that_somebody_else_has_are_passed_over(registry: Registry) -> None:
    first = registry.create("t", ("us",))
    registry.forget("t")
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", first.gateway_port))
        server.listen()
        assert registry.create("t", ("us",)).slot != first.slot


def test_a_fleet_that_is_forgotten_leaves_no_file(registry: Registry) -> None:
    with registry.locked("t", Progress()):
        registry.create("t", ALL)
        registry.forget("t")
    assert not list(registry.folder.iterdir())


def test_a_fleet_that_is_not_there_says_how_to_make_it(registry: Registry) -> None:
    with pytest.raises(LocalError, match="no local fleet `local`: `modelfleet local up`"):
        registry.get(DEFAULT)


def test_a_damaged_record_is_no_fleet_but_can_be_taken_down(registry: Registry) -> None:
    home = registry.create("t", ALL).home
    (home / "fleet.json").write_text("{")
    assert registry.find("t") is None
    assert registry.any("t") == Fleet("t", 0, ALL, home)


def test_one_command_at_a_time_works_on_a_fleet(registry: Registry) -> None:
    order = list[str]()

    def second() -> None:
        with registry.locked("t", Progress()):
            order.append("second")

    with registry.locked("t", Progress()):
        thread = threading.Thread(target=second)
        thread.start()
        with registry.locked("other", Progress()):
            order.append("first")
    thread.join(30)
    assert order == ["first", "second"]
