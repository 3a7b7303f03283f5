"""How many nodes there are, and of which instance type."""

from collections import Counter
from typing import Final

from fleet.api import names
from fleet.api.core import Node
from fleet.api.properties import NODE_COUNT
from member_agent.controllers.inventory.plan.observed import Observed
from member_agent.controllers.inventory.plan.properties.collector import Collected

INSTANCE_COUNT: Final = "kubernetes.azure.com/vm-sizes/{}/count"
FORMER_LABEL: Final = "beta.kubernetes.io/instance-type"
UNDEFINED: Final = "undefined"
"""Stands for the instance type of nodes that do not tell it."""


def nodes(observed: Observed) -> Collected:
    types = Counter(instance_type(node) or UNDEFINED for node in observed.nodes)
    by_type = {INSTANCE_COUNT.format(name): str(count) for name, count in types.items()}
    return Collected({NODE_COUNT: str(len(observed.nodes)), **by_type})


def instance_type(node: Node) -> str:
    labels = node.metadata.labels
    return labels.get(names.INSTANCE_TYPE) or labels.get(FORMER_LABEL, "")
