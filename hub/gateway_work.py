"""The Work that brings a member what its gateway is known by: its names, and how it is read."""

import base64
import binascii
from collections.abc import Mapping
from typing import Final

from fleet.api.work import Work
from hub.certificates import Pair, read

WORK: Final = "modelfleet-gateway"
CERTIFICATE: Final = "modelfleet-gateway-tls"
MEMBER_NAMESPACE: Final = "modelfleet-system"
GATEWAY: Final = "modelfleet-gateway"


def service_names(namespace: str) -> frozenset[str]:
    """Name a gateway's Service as those in its cluster do."""
    in_namespace = f"{GATEWAY}.{namespace}"
    return frozenset(
        (GATEWAY, in_namespace, f"{in_namespace}.svc", f"{in_namespace}.svc.cluster.local")
    )


def decoded(data: Mapping[str, str], name: str) -> str:
    """Read a value of a Secret's data; what cannot be read is empty."""
    try:
        return base64.b64decode(data.get(name, ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def pair(data: Mapping[str, str]) -> Pair | None:
    cert, key = decoded(data, "tls.crt"), decoded(data, "tls.key")
    return Pair(cert, key) if cert and key else None


def delivered(work: Work) -> Pair | None:
    """Give the certificate that a Work holds, with its key."""
    for manifest in work.spec.workload.manifests:
        if manifest.get("metadata", {}).get("name") == CERTIFICATE:
            return pair(manifest.get("data", {}))
    return None


def certified(work: Work) -> frozenset[str]:
    """Give the hosts that a Work's certificate is for, but for those that every member's has."""
    there = delivered(work)
    said = read(there.cert) if there else None
    return said.names - service_names(MEMBER_NAMESPACE) if said else frozenset()
