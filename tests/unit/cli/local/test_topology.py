"""Ports and addresses of fleets and their clusters."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from cli.local.kwok import ports_of
from cli.local.topology import DEFAULT, HUB, REGIONS, SLOTS, Fleet, first_slot

FIRST_EPHEMERAL_PORT = 32768


def fleet(slot: int = 0, name: str = DEFAULT) -> Fleet:
    return Fleet(name, slot, tuple(REGIONS), Path("/state") / name)


def all_ports(of: Fleet) -> list[int]:
    found = [of.gateway_port, *map(of.regional_port, of.members)]
    for cluster in of.clusters:
        ports = of.ports(cluster)
        found += [port for group in ports_of(of, cluster).values() for port in group]
        found += [ports.karpenter_metrics, ports.karpenter_health, ports.health, ports.runner]
    return found


def test_no_two_programs_of_any_fleets_share_a_port() -> None:
    ports = [port for slot in range(SLOTS) for port in all_ports(fleet(slot))]
    assert len(ports) == len(set(ports))


def test_all_ports_are_below_the_ones_that_connections_take() -> None:
    assert max(all_ports(fleet(SLOTS - 1))) < FIRST_EPHEMERAL_PORT


def test_every_member_of_every_fleet_has_its_own_part_of_the_loopback_network() -> None:
    networks = [fleet(slot).network(member) for slot in range(SLOTS) for member in REGIONS]
    assert len(networks) == len(set(networks))
    assert all(ip_network(network).is_loopback for network in networks)
    assert "127.0.0.0/16" not in networks


def test_a_users_gateway_is_always_at_the_same_address() -> None:
    assert first_slot(DEFAULT) == 0
    assert fleet().gateway_url == "http://127.0.0.1:18080/v1"
    assert fleet().network("us") == "127.1.0.0/16"


@pytest.mark.parametrize("name", ["e2e", "bench", "another"])
def test_other_fleets_never_take_the_users_ports(name: str) -> None:
    assert 0 < first_slot(name) < SLOTS


def test_a_member_has_the_same_ports_whoever_else_is_there() -> None:
    alone = Fleet("t", 3, ("eu",), Path("/state/t"))
    assert alone.ports("eu") == fleet(3).ports("eu")


def test_a_mark_names_the_cluster_and_the_whole_fleet_by_its_start() -> None:
    one = fleet()
    assert one.mark("us", "us-agent").startswith(one.mark("us"))
    assert one.mark("us", "us-agent").startswith(one.mark())
    assert not one.mark("us", "us-agent").startswith(fleet(name="local2").mark())
    assert not fleet(name="local2").mark(HUB).startswith(one.mark())
