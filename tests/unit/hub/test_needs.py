"""A hub watches what its controllers read, and nothing else."""

import pytest

from fleet.api.core import Secret
from fleet.kube.cache import Cache
from fleet.kube.client import ApiClient
from fleet.kube.config import Connection
from fleet.kube.credentials import Token
from fleet.kube.program import reads_of
from hub.app import MAKERS, compose
from hub.kinds import Kinds
from hub.needs import NEEDS, needed
from hub.settings import CONTROLLERS, Settings

KINDS = Kinds(secrets=Cache(Secret, namespace="modelfleet-system"))


def test_every_controller_says_what_it_reads() -> None:
    assert tuple(NEEDS) == CONTROLLERS


def test_all_together_read_every_kind() -> None:
    every = {*KINDS.written_by_people, *KINDS.written_by_programs}
    assert needed(KINDS, CONTROLLERS) == every


def test_the_scheduler_reads_placements_policies_bindings_and_members_alone() -> None:
    kinds = {cache.resource.kind for cache in needed(KINDS, ["scheduling"])}
    assert kinds == {
        "ClusterResourcePlacement",
        "ResourcePlacement",
        "ClusterSchedulingPolicySnapshot",
        "SchedulingPolicySnapshot",
        "ClusterResourceBinding",
        "ResourceBinding",
        "MemberCluster",
    }


@pytest.mark.parametrize("name", CONTROLLERS)
def test_a_controller_alone_waits_for_no_kind_that_nobody_watches(name: str) -> None:
    client = ApiClient(Connection(server="https://127.0.0.1:1", credentials=Token("x")), "test")
    hub = compose(Settings(controllers=(name,), namespace="modelfleet-system"), client)
    for controller in MAKERS[name](hub):
        assert set(reads_of(controller)) <= hub.watched
