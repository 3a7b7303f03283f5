"""Addresses of gateways: what may carry the fleet's credential."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

LOOPBACK: Final = "localhost"


def exposed(url: str) -> bool:
    """Whether what is sent there can be read on its way: plain HTTP that leaves the machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return True
    return parts.scheme != "https" and not (host == LOOPBACK or _loopback(host))


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
