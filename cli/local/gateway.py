"""Where a local fleet's gateway listens and what key it takes, from the fleet's files alone."""

import os
from dataclasses import dataclass, field

from cli.local.credentials import Credentials
from cli.local.registry import Registry, state_folder


@dataclass(frozen=True, slots=True)
class Gateway:
    url: str
    key: str = field(repr=False)


def local_gateway(fleet: str) -> Gateway | None:
    """Return the gateway of the named fleet, None where there is no such fleet."""
    found = Registry(state_folder(os.environ)).find(fleet)
    if not found:
        return None
    try:
        key = Credentials(found.secrets).client_key.read_text().strip()
    except FileNotFoundError:
        return None
    return Gateway(found.gateway_url, key)
