"""Which OpenAI endpoint a command talks to: the one that was named, else the local fleet's."""

from dataclasses import dataclass, field

from cli.local.gateway import local_gateway


@dataclass(frozen=True, slots=True)
class Endpoint:
    url: str
    """Base of the API, such as http://127.0.0.1:18080/v1."""
    key: str = field(repr=False)


class EndpointError(Exception):
    """No endpoint is known; the text says how to name one."""


def endpoint(*, url: str, key: str, fleet: str) -> Endpoint:
    """Find the endpoint; a local fleet's key goes to that fleet alone."""
    if url:
        return Endpoint(url.rstrip("/"), key)
    found = local_gateway(fleet)
    if found is None:
        message = f"there is no local fleet {fleet}: run `modelfleet up`, or say --url and --key"
        raise EndpointError(message)
    return Endpoint(found.url, key or found.key)
