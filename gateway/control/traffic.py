"""How a service spreads its requests, told of its endpoints by name: pure."""

from collections.abc import Iterable, Sequence

from gateway.control.kinds import ModelEndpoint, ModelService, Selector
from gateway.snapshot import Affinity, Rule, Shadow, Tls

PROMPT_SHARE = 0.75
"""Of a request's tokens, where prices are compared: prompts are about three times as long."""


def share(service: ModelService, endpoint: ModelEndpoint) -> tuple[int, int]:
    """Give an endpoint's weight and priority: the service's word, or else its own."""
    weight, priority = endpoint.spec.weight, endpoint.spec.priority
    for target in service.spec.traffic.targets:
        if _selects(target, endpoint):
            weight = weight if target.weight is None else target.weight
            return weight, priority if target.priority is None else target.priority
    return weight, priority


def rules(service: ModelService, endpoints: Sequence[ModelEndpoint]) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            headers=tuple((header.name.lower(), header.value) for header in rule.headers),
            endpoints=_selected(rule, endpoints),
        )
        for rule in service.spec.traffic.rules
    )


def shadow(service: ModelService, endpoints: Sequence[ModelEndpoint]) -> Shadow | None:
    told = service.spec.traffic.shadow
    return Shadow(told.percent, _selected(told, endpoints)) if told else None


def affinity(service: ModelService) -> Affinity | None:
    told = service.spec.traffic.affinity
    return Affinity(told.header.lower(), told.prefix_bytes) if told else None


def hedge(service: ModelService) -> float | None:
    told = service.spec.hedging
    return told.after_milliseconds / 1000 if told else None


def credential(endpoint: ModelEndpoint) -> str:
    """Name the file of an endpoint's credential: its own namespace's, whoever wrote it."""
    told = endpoint.spec.credential
    return f"{endpoint.namespace}/{told.secret}/{told.key}" if told else ""


def tls(endpoint: ModelEndpoint) -> Tls | None:
    """Name the files of how an endpoint is met, of its own namespace as well."""
    told, namespace = endpoint.spec.tls, endpoint.namespace
    if told is None:
        return None
    authority, shown = told.authority, told.certificate_secret
    return Tls(
        server_name=told.server_name,
        authority=f"{namespace}/{authority.secret}/{authority.key}" if authority else "",
        certificate=f"{namespace}/{shown}" if shown else "",
    )


def price(endpoint: ModelEndpoint) -> tuple[float, float]:
    told = endpoint.spec.price
    return (float(told.input_per_million), float(told.output_per_million)) if told else (0.0, 0.0)


def cost(service: ModelService, endpoint: ModelEndpoint) -> tuple[float, float]:
    """Rank endpoints where costs count: the fleet's are paid for, however little they do."""
    if not service.spec.traffic.cheapest_first:
        return 0.0, 0.0
    inward, outward = price(endpoint)
    hourly = float(endpoint.status.usd_per_hour or 0) / max(1, endpoint.status.replicas)
    return (PROMPT_SHARE * inward + (1 - PROMPT_SHARE) * outward, round(hourly, 4))


def _selected(selector: Selector, endpoints: Iterable[ModelEndpoint]) -> tuple[str, ...]:
    return tuple(sorted(str(each.key) for each in endpoints if _selects(selector, each)))


def _selects(selector: Selector, endpoint: ModelEndpoint) -> bool:
    return (
        any(_named(pattern, endpoint.metadata.name) for pattern in selector.endpoints)
        or endpoint.spec.cluster in selector.clusters
        or (endpoint.spec.region or endpoint.spec.cluster) in selector.regions
    )


def _named(pattern: str, name: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
