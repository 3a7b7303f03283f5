"""ClusterResourcePlacementStatus: a placement's status in the namespace that it places."""

from datetime import datetime
from typing import ClassVar

from fleet.api.objects import Resource
from fleet.api.placement import PlacementStatus


class ClusterResourcePlacementStatus(Resource):
    """The status of a ClusterResourcePlacement, for whoever may only look into its namespace."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"
    PLURAL: ClassVar = "clusterresourceplacementstatuses"

    source_status: PlacementStatus
    """The placement's status."""
    last_updated_time: datetime
    """When it was last copied."""
