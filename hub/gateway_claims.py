"""Which member may call its gateway by a host: the one that had it first. Pure."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")
LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


class Reason(StrEnum):
    """Why an address is believed, or is not."""

    ACCEPTED = "GatewayAddressAccepted"
    NO_HOST = "GatewayAddressInvalid"
    GLOBAL = "GatewayAddressOfGlobalGateway"
    TAKEN = "GatewayAddressTaken"


@dataclass(frozen=True, slots=True)
class Claim:
    """A member that wants to be reached by a host."""

    member: str
    certified: bool
    """Whether the certificate that it has is for the host."""
    believed: bool
    """Whether its MemberCluster names the host already."""
    since: datetime | None
    """When its MemberCluster was made."""


@dataclass(frozen=True, slots=True)
class Refusal:
    reason: Reason
    message: str


def host_of(url: str) -> str:
    """Write the host of an address in one way, whatever its port; empty where it has none."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return normal(host)


def normal(host: str) -> str:
    """Write a host as a certificate does; a wildcard is none."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _name(host)
    mapped = getattr(address, "ipv4_mapped", None)
    return "" if "%" in host else str(mapped or address)


def _name(host: str) -> str:
    try:
        name = host.encode("idna").decode().lower().removesuffix(".")
    except UnicodeError:
        return ""
    return name if all(map(LABEL.fullmatch, name.split("."))) else ""


def holder(claims: Iterable[Claim]) -> str:
    """Choose who has a certificate, else who is believed already, else the elder one."""
    return min(claims, key=_precedence).member


def _precedence(claim: Claim) -> tuple[bool, bool, datetime, str]:
    return not claim.certified, not claim.believed, claim.since or LONG_AGO, claim.member


def judge(
    member: str, url: str, claims: Iterable[Claim], reserved: Iterable[str]
) -> Refusal | None:
    """Say why a member's address is not believed; `claims` are all those to its host."""
    host = host_of(url)
    if not host:
        out = "let the member report an https address with a host name or an IP address"
        return _refusal(Reason.NO_HOST, url, "it names no single host", out)
    if private(host):
        return None
    if any(covers(name, host) for name in reserved):
        why = f"{host} is a name of the global gateway"
        return _refusal(Reason.GLOBAL, url, why, "give the member's gateway a host of its own")
    first = holder(claims)
    if first == member:
        return None
    why = f"the member {first} has the host {host}"
    out = f"give each member's gateway a host of its own, or let {first} report another or leave"
    return _refusal(Reason.TAKEN, url, why, out)


def private(host: str) -> bool:
    """Whether a host leads nowhere but to the machine that asks: it is nobody's to take."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def covers(name: str, host: str) -> bool:
    """Whether a certificate for a name, which may begin with a wildcard, stands for a host."""
    name = name.lower().removesuffix(".")
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:]
    return (normal(name) or name) == host


def _refusal(reason: Reason, url: str, why: str, out: str) -> Refusal:
    return Refusal(reason, f"{url} is not taken for the address of its gateway: {why}; {out}")
