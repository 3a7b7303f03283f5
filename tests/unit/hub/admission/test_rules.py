"""What is refused for the sake of other objects."""

from typing import Any

import pytest

from fleet.api.eviction import ClusterResourcePlacementDisruptionBudget
from fleet.api.override import ClusterResourceOverride, ResourceOverride
from fleet.api.placement import ClusterResourcePlacement
from hub.admission.rules import Override, of_budget, of_eviction, of_leaving, of_override

NAMESPACE = {"group": "", "version": "v1", "kind": "Namespace", "name": "chat"}
CONFIG = {"group": "", "version": "v1", "kind": "ConfigMap", "name": "chat"}
POLICY = {"overrideRules": [{"overrideType": "Delete"}]}


def cluster_override(name: str, *names: str) -> ClusterResourceOverride:
    selectors = [NAMESPACE | {"name": selected} for selected in names]
    spec = {"clusterResourceSelectors": selectors, "policy": POLICY}
    return ClusterResourceOverride.model_validate({"metadata": {"name": name}, "spec": spec})


def override(name: str, kind: str = "ConfigMap") -> ResourceOverride:
    spec = {"resourceSelectors": [CONFIG | {"kind": kind}], "policy": POLICY}
    return ResourceOverride.model_validate({"metadata": {"name": name}, "spec": spec})


def placement(**policy: Any) -> ClusterResourcePlacement:
    spec = {"resourceSelectors": [NAMESPACE]} | ({"policy": policy} if policy else {})
    return ClusterResourcePlacement.model_validate({"metadata": {"name": "crp"}, "spec": spec})


def budget(**spec: Any) -> ClusterResourcePlacementDisruptionBudget:
    return ClusterResourcePlacementDisruptionBudget.model_validate(
        {"metadata": {"name": "crp"}, "spec": spec}
    )


BOTH = (
    "invalid resource selector {Group: Version:v1 Kind:Namespace Name:%s LabelSelector:nil"
    " SelectionScope:NamespaceWithResources}: the resource has been selected by both new and %s,"
    " which is not supported"
)


@pytest.mark.parametrize(
    ("made", "present", "said"),
    [
        (cluster_override("new", "a"), [cluster_override("old", "b")], ""),
        (cluster_override("new", "a"), [cluster_override("new", "a")], ""),
        (cluster_override("new", "a"), [cluster_override("old", "b", "a")], BOTH % ("a", "old")),
        (
            cluster_override("new", "a", "b"),
            [cluster_override("old", "a"), cluster_override("older", "b")],
            f"[{BOTH % ('a', 'old')}, {BOTH % ('b', 'older')}]",
        ),
        (override("new"), [override("old", "Secret")], ""),
        (
            override("new"),
            [override("old")],
            (
                "invalid resource selector {Group: Version:v1 Kind:ConfigMap Name:chat}: the"
                " resource has been selected by both new and old, which is not supported"
            ),
        ),
    ],
)
def test_a_resource_has_one_override(made: Override, present: list[Override], said: str) -> None:
    assert of_override(made, present, new=True) == said


def test_there_are_100_overrides_at_most_and_each_may_change() -> None:
    present = [cluster_override(f"o{number}", f"n{number}") for number in range(100)]
    assert of_override(cluster_override("new", "a"), present[1:], new=True) == ""
    assert of_override(cluster_override("o1", "a"), present, new=False) == ""
    assert "at most 100 cluster resources" in of_override(
        cluster_override("new", "a"), present, new=True
    )


def test_a_placement_that_stays_and_names_no_clusters_may_lose_one() -> None:
    fixed = placement(placementType="PickFixed", clusterNames=["eu"])
    said = "cluster resource placement policy type PickFixed is not supported"
    assert of_eviction(fixed) == said
    assert of_eviction(placement()) == of_eviction(None) == ""
    gone = placement().model_dump(by_alias=True)
    gone["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:00Z"
    going = ClusterResourcePlacement.model_validate(gone)
    assert of_eviction(going) == "cluster resource placement crp is being deleted"


UNFIT = "cluster resource placement policy type PickAll is not supported with"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"minAvailable": 1}, ""),
        ({"minAvailable": "50%"}, f"{UNFIT} min available as a percentage 50%"),
        ({"maxUnavailable": 1}, f"{UNFIT} any specified max unavailable 1"),
        ({"maxUnavailable": "5%"}, f"{UNFIT} any specified max unavailable 5%"),
    ],
)
def test_a_placement_on_all_clusters_takes_only_a_least_number(
    spec: dict[str, Any], said: str
) -> None:
    assert of_budget(budget(**spec), placement()) == said
    assert of_budget(budget(**spec), placement(placementType="PickN", numberOfClusters=2)) == ""
    assert of_budget(budget(**spec), None) == ""


def test_a_member_leaves_once_it_exports_no_service() -> None:
    assert of_leaving([]) == ""
    assert of_leaving(["web/shop", "web/cart"]) == (
        "Please delete serviceExport web/shop in the member cluster before leaving, request is"
        " denied"
    )
