"""What a member reports of itself. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from fleet.api.cluster import Inventory
from member_agent.controllers.inventory.plan.observed import Observed
from member_agent.controllers.inventory.plan.pools import pools
from member_agent.controllers.inventory.plan.properties import collect
from member_agent.controllers.inventory.plan.properties.collector import Finding
from member_agent.controllers.inventory.plan.usage import Usage, usage

__all__ = ["Observed"]

MAX_NAMESPACES: Final = 200


class Facts(NamedTuple):
    """A heartbeat changes none of it."""

    inventory: Inventory
    usage: Usage
    properties: Mapping[str, str]
    findings: tuple[Finding, ...]
    """How the collection went."""
    namespaces: Mapping[str, str]
    all_namespaces: bool
    """Whether those are all; else the first by name."""


def plan(observed: Observed) -> Facts:
    """Take stock."""
    collected = collect(observed)
    return Facts(
        inventory=Inventory(pools=tuple(pools(observed))),
        usage=usage(observed),
        properties=collected.properties,
        findings=collected.findings,
        namespaces=dict(_namespaces(observed)),
        all_namespaces=len(observed.namespaces) <= MAX_NAMESPACES,
    )


def _namespaces(observed: Observed) -> Iterator[tuple[str, str]]:
    """Name the namespaces, each with the AppliedWork that owns it."""
    for namespace in sorted(observed.namespaces, key=lambda item: item.name)[:MAX_NAMESPACES]:
        owners = namespace.metadata.owner_references
        yield namespace.name, next((o.name for o in owners if o.kind == "AppliedWork"), "")
