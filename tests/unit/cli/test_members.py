"""What may be a member, and what is said of that which may not."""

import pytest

from cli.members import NotAMemberError, account_of, checked_name, labels_of, member_cluster
from fleet.api.objects import Key


@pytest.mark.parametrize("name", ["us", "eu-1", "0", "u" * 50])
def test_a_name_is_part_of_a_namespace_s(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize("name", ["", "Us", "us.east", "-us", "us-", "u" * 51, "us\n"])
def test_a_name_that_no_namespace_may_have_is_refused(name: str) -> None:
    with pytest.raises(NotAMemberError, match=r"^NAME: "):
        checked_name(name)


def test_a_region_is_a_label_too() -> None:
    assert labels_of(["tier=prod", "empty="], "centralus") == {
        "tier": "prod",
        "empty": "",
        "topology.kubernetes.io/region": "centralus",
    }


@pytest.mark.parametrize("pair", ["tier", "=prod", ""])
def test_a_label_needs_a_key_and_a_value(pair: str) -> None:
    with pytest.raises(NotAMemberError, match="KEY=VALUE"):
        labels_of([pair], "")


def test_a_member_says_no_more_than_it_was_told() -> None:
    identity = {
        "kind": "ServiceAccount",
        "name": "member-agent",
        "namespace": "fleet-member-us",
    }
    bare = {
        "apiVersion": "cluster.kubernetes-fleet.io/v1beta1",
        "kind": "MemberCluster",
        "metadata": {"name": "us"},
        "spec": {"identity": identity},
    }
    assert member_cluster("us", {}, None).manifest() == bare
    told = member_cluster("us", {"tier": "prod"}, 5).manifest()
    assert told["metadata"] == {"name": "us", "labels": {"tier": "prod"}}
    assert told["spec"] == {"identity": identity, "heartbeatPeriodSeconds": 5}


def test_only_an_account_gets_a_token() -> None:
    member = member_cluster("us", {}, None)
    assert account_of(member) == Key("fleet-member-us", "member-agent")
    user = member.spec.identity.model_copy(update={"kind": "User", "name": "ann"})
    other = member.model_copy(update={"spec": member.spec.model_copy(update={"identity": user})})
    with pytest.raises(NotAMemberError, match="the user ann, for whom the hub signs no tokens"):
        account_of(other)
