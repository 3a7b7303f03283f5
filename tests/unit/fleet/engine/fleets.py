"""Fleets and demands for tests: all has a default, and a test says only what it is about."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fleet.api import names
from fleet.api.binding import Allocation, ClusterDecision, ClusterScore
from fleet.api.cluster import MemberCluster
from fleet.api.placement import Policy
from fleet.api.snapshot import Demand
from fleet.catalog.catalogue import Catalogue, load
from fleet.engine.ask import Ask, Holding
from fleet.engine.demand import demand_of
from fleet.engine.fleet import Fleet
from fleet.engine.rules import rules_of
from fleet.testing.workloads import inference_set, workspace

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
REGIONS = {"us": "centralus", "eu": "northeurope", "apac": "japaneast"}
A100, A10, V100, H100X2, A100X4 = (
    "Standard_NC24ads_A100_v4",
    "Standard_NV36ads_A10_v5",
    "Standard_NC6s_v3",
    "Standard_NC80adis_H100_v5",
    "Standard_NC96ads_A100_v4",
)
CATALOGUE: Catalogue = load()


def pool(instance_type: str, provisionable: int = 4, **more: Any) -> dict[str, Any]:
    sku = CATALOGUE.sku(instance_type)
    gpus = sku.gpus if sku else 1
    return {
        "instanceType": instance_type,
        "gpusPerNode": gpus,
        "nodesProvisionable": provisionable,
        **more,
    }


def member(
    name: str,
    *pools: dict[str, Any],
    labels: Mapping[str, str] | None = None,
    taint: str = "",
    joined: bool = True,
    **status: Any,
) -> MemberCluster:
    region = {names.REGION: REGIONS.get(name, name)}
    return MemberCluster.model_validate(
        {
            "metadata": {
                "name": name,
                "uid": f"uid-{name}",
                "labels": {**region, **(labels or {})},
            },
            "spec": {
                "identity": {"kind": "User", "name": name},
                "heartbeatPeriodSeconds": 5,
                "taints": [{"key": taint}] if taint else [],
            },
            "status": {
                "conditions": [said("Joined", str(joined))],
                "agentStatus": [agent(said("Joined", str(joined)), WELL)],
                "inventory": {"pools": list(pools)},
                **status,
            },
        }
    )


def said(kind: str, status: str, at: datetime = NOON) -> dict[str, Any]:
    found = {"type": kind, "status": status, "reason": "Said", "message": ""}
    return found | {"lastTransitionTime": at}


WELL = said("Healthy", "True")


def agent(*conditions: dict[str, Any], beat: datetime | None = NOON) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "MemberAgent", "conditions": conditions}
    return found | ({"lastReceivedHeartbeat": beat} if beat else {})


def three(*pools: dict[str, Any]) -> list[MemberCluster]:
    """Build us, eu and apac, each with the same pools."""
    return [member(name, *pools) for name in REGIONS]


def fleet(*members: MemberCluster) -> Fleet:
    return Fleet(CATALOGUE, members)


def phi(*types: str, **more: Any) -> Demand:
    """Demand what phi-4-mini-instruct does."""
    return demand_of(workspace(), CATALOGUE).model_copy(update={"instance_types": types, **more})


def qwen(replicas: int, **more: Any) -> Demand:
    """Demand a ModelDeployment's qwen2-7b, whose replicas may be divided."""
    demand = demand_of(inference_set("qwen"), CATALOGUE)
    return demand.model_copy(update={"replicas": replicas, "split": True, **more})


def ask(number: int | None, *demands: Demand, **more: Any) -> Ask:
    """Ask for so many clusters; None asks for all."""
    policy = {"placementType": "PickAll" if number is None else "PickN", **more.pop("policy", {})}
    asked = Policy.model_validate(policy)
    return Ask(rules=rules_of(asked), now=NOON, limit=number, demands=demands, **more)


def holding(cluster: str, *allocations: Allocation, points: int = 0, **more: Any) -> Holding:
    decision = ClusterDecision(
        cluster_name=cluster,
        selected=True,
        reason="best",
        cluster_score=ClusterScore(affinity_score=0, priority_score=0, parts={"price": points}),
    )
    return Holding(cluster=cluster, decision=decision, allocations=allocations, **more)


def allocation(demand: Demand, instance_type: str = A10, **more: Any) -> Allocation:
    given = {"gpusPerReplica": 1, "usdPerHour": "3.84", "instanceType": instance_type, **more}
    key = {"kind": demand.kind, "namespace": demand.namespace, "name": demand.name}
    return Allocation.model_validate(key | given)
