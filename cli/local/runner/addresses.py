"""Which loopback address a pod gets. Pure."""

from collections.abc import Collection
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network


class NoAddressError(Exception):
    """The network is full."""


def address_for(uid: str, network: IPv4Network, taken: Collection[str]) -> str:
    """Take the address that the pod's uid points to, or the next free one.

    So an address is not given to another pod as soon as it is free: who still knows it of the old
    one would take the new one for it.
    """
    hosts = network.num_addresses - 2
    start = int.from_bytes(sha256(uid.encode()).digest()[:8], "big") % hosts
    for step in range(hosts):
        address = str(IPv4Address(int(network.network_address) + 1 + (start + step) % hosts))
        if address not in taken:
            return address
    raise NoAddressError(f"all {hosts} addresses of {network} are taken")
