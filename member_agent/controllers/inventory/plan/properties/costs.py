"""What a core and a GiB of memory cost: the nodes' list prices over what these nodes have.

Each of the two bears the whole price, as with KubeFleet's provider for Azure. Nodes without a price
are left out, where that provider gives up.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from fleet.api.core import Node
from fleet.catalog.catalogue import Catalogue
from fleet.engine.quantity import parse
from member_agent.capacity import region_of
from member_agent.controllers.inventory.plan.observed import Observed
from member_agent.controllers.inventory.plan.properties.collector import Collected, Finding
from member_agent.controllers.inventory.plan.properties.nodes import UNDEFINED, instance_type

PER_CORE: Final = "kubernetes.azure.com/per-cpu-core-cost"
PER_GIB: Final = "kubernetes.azure.com/per-gb-memory-cost"
COLLECTED: Final = "AKSClusterCostPropertiesCollectionSucceeded"
GIB: Final = 1024**3


def costs(observed: Observed) -> Collected:
    region = region_of(observed.nodes)
    prices = {node.name: _price(node, region, observed.catalogue) for node in observed.nodes}
    priced = [node for node in observed.nodes if prices[node.name] is not None]
    unknown = {instance_type(n) or UNDEFINED for n in observed.nodes if prices[n.name] is None}
    total = sum((price for price in prices.values() if price is not None), Decimal(0))
    cores, memory = _capacity(priced, "cpu"), _capacity(priced, "memory") / GIB
    if observed.nodes and not (cores and memory):
        return Collected(findings=(_failed(unknown, region),))
    each = {PER_CORE: total / (cores or 1), PER_GIB: total / (memory or 1)}
    properties = {name: f"{cost:.3f}" for name, cost in each.items()}
    return Collected(properties, (_degraded(unknown, region) if unknown else _succeeded(),))


def _price(node: Node, region: str, catalogue: Catalogue) -> Decimal | None:
    return catalogue.price(instance_type(node), region)


def _capacity(nodes: Iterable[Node], name: str) -> Decimal:
    amounts = (parse(node.status.capacity.get(name, "0")) for node in nodes)
    return sum((amount or Decimal(0) for amount in amounts), Decimal(0))


def _succeeded() -> Finding:
    return Finding(COLLECTED, True, "CostsCalculated", "The price of every node is known")


def _degraded(unknown: Iterable[str], region: str) -> Finding:
    message = f"Left out of the costs: {_named(unknown, region)}"
    return Finding(COLLECTED, True, "CostsCalculationDegraded", message)


def _failed(unknown: Iterable[str], region: str) -> Finding:
    message = f"No node tells what it has and what it costs: {_named(unknown, region)}"
    return Finding(COLLECTED, False, "CostsCalculationFailed", message)


def _named(unknown: Iterable[str], region: str) -> str:
    where = f"in {region}" if region else "where no node tells its region"
    return f"no price is known {where} for {', '.join(sorted(unknown))}"
