"""Which cluster it is, whatever name it has in the fleet."""

from fleet.api import names
from member_agent.controllers.inventory.plan.observed import Observed
from member_agent.controllers.inventory.plan.properties.collector import Collected

SYSTEM = "kube-system"
"""The namespace by whose UID clusters are told apart."""


def identity(observed: Observed) -> Collected:
    system = next((space for space in observed.namespaces if space.name == SYSTEM), None)
    known = system is not None and system.metadata.uid
    return Collected({names.CLUSTER_ID: system.metadata.uid} if system and known else {})
