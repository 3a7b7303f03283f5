"""Where other tools reach the cluster: its ClusterProfile on the hub tells them."""

from fleet.api.properties import AUTHORITY, ENTRYPOINT
from member_agent.controllers.inventory.plan.observed import Observed
from member_agent.controllers.inventory.plan.properties.collector import Collected


def endpoint(observed: Observed) -> Collected:
    found = {ENTRYPOINT: observed.endpoint.url, AUTHORITY: observed.endpoint.authority}
    return Collected({name: value for name, value in found.items() if value})
