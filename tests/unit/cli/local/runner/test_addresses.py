"""Every pod gets an address of its own."""

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.local.runner.addresses import NoAddressError, address_for

NETWORK = IPv4Network("127.9.0.0/29")


@given(uids=st.sets(st.text(max_size=8), max_size=6))
def test_no_two_pods_share_an_address(uids: set[str]) -> None:
    taken = list[str]()
    for uid in uids:
        taken.append(address_for(uid, NETWORK, taken))
    assert len(set(taken)) == len(uids)
    hosts = {str(host) for host in NETWORK.hosts()}
    assert set(taken) <= hosts


def test_the_next_pod_gets_another_address_though_the_last_one_is_free() -> None:
    network = IPv4Network("127.9.0.0/16")
    addresses = {address_for(f"uid-{n}", network, ()) for n in range(50)}
    assert len(addresses) > 45
    assert all(IPv4Address(address) in network for address in addresses)


def test_a_full_network_says_so() -> None:
    with pytest.raises(NoAddressError, match="all 6 addresses"):
        address_for("uid", NETWORK, [str(host) for host in NETWORK.hosts()])
