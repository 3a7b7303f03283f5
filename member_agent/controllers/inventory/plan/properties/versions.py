"""What runs: Kubernetes, and the agent itself."""

from fleet.api import names
from fleet.api.properties import VERSION
from member_agent.controllers.inventory.plan.observed import Observed
from member_agent.controllers.inventory.plan.properties.collector import Collected


def versions(observed: Observed) -> Collected:
    found = {VERSION: observed.version, names.AGENT_VERSION: observed.release}
    return Collected({name: version for name, version in found.items() if version})
