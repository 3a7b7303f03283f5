"""How many GPUs there are of each product; by resource name they are in the cluster's usage."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from fleet.api.core import Node
from fleet.catalog.catalogue import Catalogue
from member_agent.controllers.inventory.plan.observed import Observed
from member_agent.controllers.inventory.plan.properties.collector import Collected
from member_agent.controllers.inventory.plan.properties.nodes import instance_type

GPU_COUNT: Final = "gpus.modelfleet.dev/{}"
PRODUCT_LABEL: Final = "nvidia.com/gpu.product"


def gpus(observed: Observed) -> Collected:
    found: Counter[str] = Counter()
    for node in observed.nodes:
        if node.gpus:
            found.update(dict.fromkeys(_products(node, observed.catalogue), node.gpus))
    return Collected({GPU_COUNT.format(name): str(count) for name, count in found.items()})


def _products(node: Node, catalogue: Catalogue) -> Iterator[str]:
    """Name a product as the catalogue does, and as its maker's GPU feature discovery does."""
    if sku := catalogue.sku(instance_type(node)):
        yield sku.gpu_model.replace(" ", "-")
    if labelled := node.metadata.labels.get(PRODUCT_LABEL):
        yield labelled
