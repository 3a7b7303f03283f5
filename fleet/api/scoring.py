"""How clusters are scored for inference: profile, weights, limits, failover."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from fleet.api.money import Money
from fleet.api.objects import Model
from fleet.api.schema import FILLED, Schema


class Profile(StrEnum):
    COST = "cost"
    NONE = "none"


class Weights(Model):
    """Points of the inference score: what a dollar an hour costs, what room left over earns."""

    price: Annotated[int, FILLED, Schema(minimum=0, maximum=10000)] = 100
    """Points that one US dollar an hour costs."""
    headroom: Annotated[int, FILLED, Schema(minimum=0, maximum=10000)] = 1
    """Points that each GPU left over earns, 20 GPUs at most."""


class Limits(Model):
    """What a cluster must keep to be chosen."""

    usd_per_hour: Money | None = None
    """A cluster where the workload costs more US dollars an hour is filtered out."""


class Failover(Model):
    """When a share of a silent member is placed anew."""

    toleration_seconds: Annotated[int, Schema(minimum=1, maximum=86400)]
    """How long a member may be silent before its share moves; three heartbeats at least."""


class Scoring(Model):
    """How clusters are scored for inference workloads."""

    profile: Annotated[Profile, FILLED] = Profile.COST
    """cost prefers the cheapest cluster that fits; none leaves the choice to KubeFleet's rules."""
    weights: Weights = Weights()
    """Points that the parts of the score have."""
    limits: Limits = Limits()
    """What a cluster must keep to be chosen."""
    failover: Failover | None = None
    """When a share of a silent member is placed anew; without it nothing moves."""
    max_clusters: Annotated[int | None, Field(ge=1)] = None
    """PickN goes up to this many clusters where fewer cannot hold all replicas."""
