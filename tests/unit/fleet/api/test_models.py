"""Objects read and write as the API has them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api import names
from fleet.api.binding import Allocation, BindingState, ClusterResourceBinding
from fleet.api.cluster import MemberCluster, Taint
from fleet.api.conditions import Condition, ConditionStatus, find, since
from fleet.api.keys import Key
from fleet.api.objects import LabelSelector, LabelSelectorRequirement, Metadata
from fleet.api.placement import Limits, PlacementType, Policy, Profile, Scoring, Toleration
from fleet.api.snapshot import ClusterSchedulingPolicySnapshot
from fleet.api.workspace import Workspace

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def condition(status: ConditionStatus, when: datetime, reason: str = "Said") -> Condition:
    return Condition(type="Ready", status=status, reason=reason, last_transition_time=when)


def member(region: str = "", **labels: str) -> MemberCluster:
    known = {"location": names.LOCATION, "label": names.REGION}
    return MemberCluster.model_validate(
        {
            "metadata": {"name": "eu", "labels": {known[k]: v for k, v in labels.items()}},
            "spec": {"identity": {"kind": "User", "name": "member"}},
            "status": {"region": region},
        }
    )


def binding(state: str, **annotations: str) -> ClusterResourceBinding:
    decision = {"clusterName": "eu", "selected": True, "reason": "fits"}
    return ClusterResourceBinding.model_validate(
        {
            "metadata": {"name": "b", "annotations": annotations},
            "spec": {
                "state": state,
                "targetCluster": "eu",
                "resourceSnapshotName": "",
                "clusterDecision": decision,
            },
        }
    )


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    old, new = (
        condition(ConditionStatus.TRUE, NOON),
        condition(ConditionStatus.TRUE, LATER, "Other"),
    )
    kept = since([old], new)
    assert (kept.last_transition_time, kept.reason) == (NOON, "Other")


def test_a_condition_has_a_new_time_when_its_status_moves() -> None:
    new = condition(ConditionStatus.FALSE, LATER)
    assert since([condition(ConditionStatus.TRUE, NOON)], new) == new
    assert since([], new) == new
    assert find([new], "Other") is None


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (True, ConditionStatus.TRUE),
        (False, ConditionStatus.FALSE),
        (None, ConditionStatus.UNKNOWN),
    ],
)
def test_a_status_is_of_a_truth(value: bool | None, status: ConditionStatus) -> None:
    made = condition(ConditionStatus.of(value), NOON)
    assert made.status is status
    assert (made.true, made.false) == (value is True, value is False)


@pytest.mark.parametrize("key", [Key("chat", "phi"), Key("", "phi")])
def test_a_key_reads_as_it_is_written(key: Key) -> None:
    assert Key.parse(str(key)) == key


def test_a_manifest_holds_what_was_set_and_nothing_else() -> None:
    workspace = Workspace(metadata=Metadata(name="phi", namespace="chat"))
    assert workspace.manifest() == {
        "apiVersion": "kaito.sh/v1beta1",
        "kind": "Workspace",
        "metadata": {"name": "phi", "namespace": "chat"},
    }


def test_money_is_written_as_text() -> None:
    assert Limits(usd_per_hour=Decimal("3.670")).dump() == {"usdPerHour": "3.670"}


def test_the_names_of_a_kind_follow_from_its_class() -> None:
    assert Workspace.crd() == "workspaces.kaito.sh"
    assert (Workspace.group(), Workspace.version()) == ("kaito.sh", "v1beta1")


def test_an_owner_is_named_with_its_uid() -> None:
    owner = Workspace(metadata=Metadata(name="phi", uid="1")).owner_reference(controller=False)
    assert (owner.kind, owner.uid, owner.controller) == ("Workspace", "1", False)


@pytest.mark.parametrize(
    ("member", "region"),
    [
        (member("c", label="a", location="b"), "a"),
        (member("c", location="b"), "b"),
        (member("c"), "c"),
        (member(), "eu"),
    ],
)
def test_a_region_is_what_is_said_most_plainly(member: MemberCluster, region: str) -> None:
    assert member.region == region


def test_a_member_that_has_not_reported_has_no_heartbeat() -> None:
    assert member().heartbeat is None
    assert not member().joined


TAINT = Taint(key="gpu", value="a100")
TOLERATIONS: list[tuple[dict[str, Any], bool]] = [
    ({"key": "gpu", "value": "a100"}, True),
    ({"key": "gpu", "value": "h100"}, False),
    ({"key": "gpu", "operator": "Exists"}, True),
    ({"operator": "Exists"}, True),
    ({"key": "cpu", "operator": "Exists"}, False),
    ({"operator": "Exists", "effect": "NoExecute"}, False),
]


@pytest.mark.parametrize(("toleration", "covers"), TOLERATIONS)
def test_a_toleration_covers_what_it_names(toleration: dict[str, Any], covers: bool) -> None:
    assert Toleration.model_validate(toleration).covers(TAINT) is covers


@pytest.mark.parametrize(
    ("operator", "values", "matches"),
    [
        ("In", ("a",), True),
        ("In", ("b",), False),
        ("NotIn", ("a",), False),
        ("NotIn", ("b",), True),
        ("Exists", (), True),
        ("DoesNotExist", (), False),
        ("Like", ("a",), False),
    ],
)
def test_a_requirement_looks_at_the_label(
    operator: str, values: tuple[str, ...], matches: bool
) -> None:
    requirement = LabelSelectorRequirement(key="team", operator=operator, values=values)
    assert LabelSelector(match_expressions=(requirement,)).matches({"team": "a"}) is matches


def test_an_empty_selector_matches_everything() -> None:
    assert LabelSelector().matches({})
    assert not LabelSelector(match_labels={"team": "a"}).matches({})


@pytest.mark.parametrize(
    ("policy", "scored"),
    [
        (Policy(placement_type=PlacementType.PICK_N), True),
        (Policy(), False),
        (Policy(scoring=Scoring()), True),
        (
            Policy(placement_type=PlacementType.PICK_N, scoring=Scoring(profile=Profile.NONE)),
            False,
        ),
    ],
)
def test_inference_is_scored_for_pick_n_and_where_it_is_asked_for(
    policy: Policy, scored: bool
) -> None:
    assert (policy.inference_scoring is not None) is scored


def test_a_binding_that_is_not_chosen_knows_the_state_to_go_back_to() -> None:
    previous = {names.PREVIOUS_STATE: "Bound"}
    assert binding("Bound").chosen_state is BindingState.BOUND
    assert binding("Unscheduled", **previous).chosen_state is BindingState.BOUND
    assert binding("Unscheduled").chosen_state is BindingState.SCHEDULED
    assert binding("Bound").in_use
    assert not binding("Unscheduled").in_use


def test_an_allocation_counts_the_nodes_of_all_replicas() -> None:
    allocation = Allocation(
        kind="Workspace",
        namespace="chat",
        name="phi",
        instance_type="Standard_NC6s_v3",
        replicas=3,
        nodes_per_replica=2,
        gpus_per_replica=2,
        usd_per_hour=Decimal(1),
    )
    assert allocation.nodes == 6


def test_pick_n_takes_its_number_from_the_snapshots_annotation() -> None:
    metadata = Metadata(name="s", annotations={names.NUMBER_OF_CLUSTERS: "2"})
    spec = {"policy": {"placementType": "PickN"}}
    snapshot = ClusterSchedulingPolicySnapshot.model_validate({"metadata": metadata, "spec": spec})
    assert snapshot.limit == 2
    assert not snapshot.latest
    assert ClusterSchedulingPolicySnapshot(metadata=metadata).limit is None


WORDS = st.text("abcXYZ012-._/", min_size=1, max_size=120)


@given(WORDS.filter(lambda text: any(c.isalnum() for c in text)))
def test_a_services_name_is_a_dns_label(model: str) -> None:
    name = names.service_name(model)
    assert 0 < len(name) <= 63
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert name[0] != "-" != name[-1]


@given(placement=st.text("abc-", min_size=1, max_size=80), cluster=st.text("xyz-", max_size=70))
def test_a_bindings_name_is_its_placements_and_no_namesakes(placement: str, cluster: str) -> None:
    name = names.binding_name(placement, "uid-1", cluster)
    assert len(name) <= 63
    assert name == names.binding_name(placement, "uid-1", cluster)
    assert name != names.binding_name(placement, "uid-2", cluster)


def test_a_members_namespace_and_name_follow_from_each_other() -> None:
    assert names.member_cluster(names.member_namespace("eu")) == "eu"
    assert names.member_cluster("default") is None


def test_a_works_name_says_whose_it_is() -> None:
    assert names.work_name("crp") == "crp-work"
    assert names.work_name("rp", "chat") == "chat.rp-work"


def test_an_endpoints_name_fits_a_label() -> None:
    assert names.endpoint_name("phi", "eu") == "phi-eu"
    assert len(names.endpoint_name("p" * 63, "eu")) == 63
