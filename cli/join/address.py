"""Where an agent finds the hub's API server, and whom it believes. Pure."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from cli.join.errors import JoinError


@dataclass(frozen=True, slots=True)
class HubAddress:
    url: str
    ca: str
    """PEM; the system's authorities where it is empty."""


def checked_url(url: str) -> str:
    """Refuse what would send a token in clear text, or nowhere."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError:
        usable = False
        parts = urlsplit("")
    if not usable or parts.scheme != "https":
        raise JoinError(f"--hub-url: `{url}` is no address such as https://hub.example.com:6443")
    return url.rstrip("/")


def loopback_warning(url: str) -> str:
    """Say why no agent in another machine or pod finds this address; nothing where it may."""
    host = urlsplit(url).hostname or ""
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost" or host.endswith(".localhost")
    if not loopback:
        return ""
    return (
        f"the agent is told that the hub is at {url}, which is its own machine there:"
        " give the address that the member reaches with --hub-url"
    )
