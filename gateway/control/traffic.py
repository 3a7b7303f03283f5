"""How a service spreads its requests, told of its endpoints by name: pure."""

from collections.abc import Iterable, Sequence

from gateway.control.kinds import ModelEndpoint, ModelService, Selector
from gateway.snapshot import Affinity, Rule, Shadow


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
