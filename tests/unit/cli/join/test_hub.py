"""The hub's side: a member is made once, changed where it is asked, and waited for."""

from typing import Any

import pytest

from cli.join.errors import JoinError
from cli.join.hub import Wanted, admit, known, prepared
from cli.members import member_cluster
from fleet.api.cluster import InternalMemberCluster, MemberCluster
from fleet.api.core import Namespace, ServiceAccount
from fleet.testing.client import FakeClient

PLACE = "fleet-member-us"
WANTED = Wanted(name="us", labels={"tier": "prod"}, heartbeat=5)


def shaped(model: Any, name: str, **rest: Any) -> Any:
    return model.model_validate({"metadata": {"name": name, **rest.pop("metadata", {})}, **rest})


async def admitted(hub: FakeClient, wanted: Wanted) -> list[str]:
    said: list[str] = []
    await admit(hub, wanted, said.append)
    return said


async def test_a_member_is_made_once() -> None:
    hub = FakeClient()
    assert await admitted(hub, WANTED) == []
    (made,) = hub.all(MemberCluster)
    assert made.metadata.labels == {"tier": "prod"}
    assert made.spec.heartbeat_period_seconds == 5
    hub.writes_left = 0
    assert await admitted(hub, WANTED) == ["us is on the hub already: its agent has not joined yet"]


async def test_only_what_is_asked_is_changed_of_a_member_that_is_there() -> None:
    hub = FakeClient(member_cluster("us", {"team": "a", "tier": "test"}, 60))
    first, second = await admitted(hub, Wanted(name="us", labels={"tier": "prod"}))
    assert first.startswith("us is on the hub already")
    assert second == 'changed of us: {"metadata": {"labels": {"tier": "prod"}}}'
    (there,) = hub.all(MemberCluster)
    assert there.metadata.labels == {"team": "a", "tier": "prod"}
    assert there.spec.heartbeat_period_seconds == 60


async def test_a_member_that_leaves_is_not_taken_back_half_way() -> None:
    gone = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x"]}
    spec = member_cluster("us", {}, None).spec.dump()
    hub = FakeClient(shaped(MemberCluster, "us", metadata=gone, spec=spec))
    with pytest.raises(JoinError, match="us is leaving the fleet: join again once it is gone"):
        await admitted(hub, WANTED)
    with pytest.raises(JoinError, match="us is leaving the fleet"):
        await known(hub, "us")


async def test_a_token_is_renewed_for_a_member_that_is_there() -> None:
    with pytest.raises(JoinError, match="no member us on the hub: `modelfleet join us` makes it"):
        await known(FakeClient(), "us")


async def test_what_the_hub_has_not_made_is_named_with_the_deadline() -> None:
    member = member_cluster("us", {}, None)
    place = {"namespace": PLACE}
    hub = FakeClient(member)
    for missing, made in (
        ("Namespace fleet-member-us", shaped(Namespace, PLACE)),
        (
            "ServiceAccount fleet-member-us/member-agent",
            shaped(ServiceAccount, "member-agent", metadata=place),
        ),
        (
            "InternalMemberCluster fleet-member-us/us",
            shaped(InternalMemberCluster, "us", metadata=place, spec={"state": "Join"}),
        ),
    ):
        with pytest.raises(JoinError, match=f"has not made {missing} within 0 s.*doctor"):
            await prepared(hub, member, 0.01)
        hub.put(made)
    await prepared(hub, member, 0.01)
