"""Which OpenAI endpoint a command talks to: the one that was named, else the local fleet's."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cli.local.gateway import local_gateway


@dataclass(frozen=True, slots=True)
class Endpoint:
    url: str
    """Base of the API, such as http://127.0.0.1:18080/v1."""
    key: str = field(repr=False)


class EndpointError(Exception):
    """No endpoint can be asked; the text says how to name one."""


def endpoint(*, url: str, key: str, fleet: str) -> Endpoint:
    """Find the endpoint; a local fleet's key goes to that fleet alone."""
    key = key.strip()
    if not (key.isascii() and key.isprintable()):
        raise EndpointError("the key has characters that no request can carry")
    if url:
        return Endpoint(_checked(url), key)
    found = local_gateway(fleet)
    if found is None:
        message = f"there is no local fleet {fleet}: run `modelfleet up`, or say --url and --key"
        raise EndpointError(message)
    return Endpoint(found.url, key or found.key)


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise EndpointError(f"{url} is no address: it is like http://127.0.0.1:18080/v1")
    return url.rstrip("/")
