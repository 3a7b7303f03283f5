"""What is refused on the member's side, in words that say what to do."""

from datetime import UTC, datetime, timedelta

import pytest

from cli.join.errors import JoinError
from cli.join.invitation import CRDS, helm
from cli.join.member import explained, recognised
from cli.local.errors import CommandError
from fleet.api import names
from fleet.api.cluster import MemberCluster
from fleet.api.core import Namespace
from fleet.testing.client import FakeClient

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

WORDS = helm(CRDS, "/opt/charts")
FOREIGN = "invalid ownership metadata; label validation error: missing key"


def test_kinds_of_somebody_else_are_taken_over_by_people_alone() -> None:
    said = str(explained(CommandError(f"`helm` failed: {FOREIGN}"), WORDS))
    assert "`helm upgrade --install modelfleet-crds /opt/charts/crds" in said
    assert said.endswith("--create-namespace --take-ownership` and join again")


def test_all_else_is_said_as_helm_says_it() -> None:
    error = CommandError("`helm` failed: no such chart")
    assert explained(error, WORDS) is error


def member(cluster: str, *, heard: float = 0) -> MemberCluster:
    """Be a member as a cluster reported it so many seconds ago."""
    beat = (NOON - timedelta(seconds=heard)).isoformat()
    said = {names.CLUSTER_ID: {"value": cluster, "observationTime": beat}} if cluster else {}
    agent = {"type": "MemberAgent", "lastReceivedHeartbeat": beat}
    return MemberCluster.model_validate(
        {
            "metadata": {"name": "us"},
            "spec": {"identity": {"kind": "User", "name": "us"}},
            "status": {"properties": said, "agentStatus": [agent]},
        }
    )


SYSTEM = Namespace.model_validate({"metadata": {"name": "kube-system", "uid": "mine"}})


async def test_a_second_cluster_of_a_name_is_refused_while_the_first_is_heard() -> None:
    cluster = FakeClient(SYSTEM)
    for there in (None, member(""), member("mine"), member("other", heard=180)):
        await recognised(cluster, there, NOON)
    refused = r"another cluster reports as us just now \(other; this one is mine\): choose another"
    with pytest.raises(JoinError, match=refused):
        await recognised(cluster, member("other", heard=179), NOON)
