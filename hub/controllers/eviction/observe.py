"""Read from the server itself what an eviction goes by: its answer is final, and it is rare."""

from fleet.api import names
from fleet.api.binding import ClusterResourceBinding
from fleet.api.eviction import (
    ClusterResourcePlacementDisruptionBudget,
    ClusterResourcePlacementEviction,
)
from fleet.api.objects import Key
from fleet.api.placement import ClusterResourcePlacement
from fleet.kube.client import Client
from hub.controllers.eviction.plan import Observed


async def observe(client: Client, eviction: ClusterResourcePlacementEviction) -> Observed:
    name = eviction.spec.placement_name
    placement = await client.get(ClusterResourcePlacement, Key("", name))
    if placement is None:
        return Observed(eviction=eviction, placement=None)
    labelled = f"{names.PARENT}={name}"
    bindings = await client.list(ClusterResourceBinding, label_selector=labelled)
    return Observed(
        eviction=eviction,
        placement=placement,
        bindings=bindings.objects(),
        budget=await client.get(ClusterResourcePlacementDisruptionBudget, Key("", name)),
    )
