"""Add up what all nodes have together, and what pods have asked for of it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from fleet.api.core import Node
from fleet.engine.quantity import parse
from member_agent.capacity import ENDED
from member_agent.controllers.inventory.plan.observed import Observed

ALWAYS: Final = ("cpu", "memory")
"""Told of every cluster, of one without nodes too; KubeFleet tells no more than these."""


class Usage(NamedTuple):
    """Amounts of all nodes together, as quantities."""

    capacity: Mapping[str, str]
    allocatable: Mapping[str, str]
    available: Mapping[str, str]


def usage(observed: Observed) -> Usage:
    """Count every resource of a device plugin, such as nvidia.com/gpu, as cpu and memory."""
    nodes = {node.name for node in observed.nodes}
    told = dict.fromkeys((*ALWAYS, *sorted(_devices(observed.nodes))))
    capacity = _sum(node.status.capacity for node in observed.nodes)
    allocatable = _sum(node.status.allocatable for node in observed.nodes)
    running = (pod for pod in observed.pods if pod.status.phase not in ENDED)
    parts = (c.resources for p in running if p.spec.node_name in nodes for c in p.spec.containers)
    asked = _sum(part.get("requests") or part.get("limits") or {} for part in parts)
    # What was seen of pods may be ahead of what was seen of nodes.
    left = {name: max(allocatable[name] - asked[name], Decimal(0)) for name in told}
    return Usage(
        capacity={name: _quantity(capacity[name]) for name in told},
        allocatable={name: _quantity(allocatable[name]) for name in told},
        available={name: _quantity(amount) for name, amount in left.items()},
    )


def _devices(nodes: Iterable[Node]) -> Iterator[str]:
    """Name what only a domain of its own names: not hugepages or pods."""
    for node in nodes:
        yield from (name for name in node.status.capacity if "/" in name)


def _sum(amounts: Iterable[Mapping[str, object]]) -> Mapping[str, Decimal]:
    total: defaultdict[str, Decimal] = defaultdict(Decimal)
    for amount in amounts:
        for name, value in amount.items():
            total[name] += parse(str(value)) or Decimal(0)
    return total


def _quantity(amount: Decimal) -> str:
    """Write an amount in whole units, or in thousandths where it is none."""
    whole = amount.to_integral_value()
    return str(whole) if whole == amount else f"{int(amount * 1000)}m"
