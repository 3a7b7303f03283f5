"""Properties of a cluster by which placements select and sort; one file and one line for each kind.

Their names are KubeFleet's and those of its provider for Azure, where these have them.
"""

from typing import Final

from member_agent.controllers.inventory.plan.observed import Observed
from member_agent.controllers.inventory.plan.properties.collector import Collected, Collector
from member_agent.controllers.inventory.plan.properties.costs import costs
from member_agent.controllers.inventory.plan.properties.endpoint import endpoint
from member_agent.controllers.inventory.plan.properties.gpus import gpus
from member_agent.controllers.inventory.plan.properties.identity import identity
from member_agent.controllers.inventory.plan.properties.nodes import nodes
from member_agent.controllers.inventory.plan.properties.versions import versions

COLLECTORS: Final[tuple[Collector, ...]] = (nodes, gpus, versions, costs, identity, endpoint)


def collect(observed: Observed) -> Collected:
    """Ask all collectors; of two that say the same name the later one is heard."""
    found = [collector(observed) for collector in COLLECTORS]
    properties = {name: value for each in found for name, value in each.properties.items()}
    findings = tuple(finding for each in found for finding in each.findings)
    return Collected(dict(sorted(properties.items())), findings)
