"""A hub watches what its controllers read, and nothing else."""

from fleet.api.core import Secret
from fleet.kube.cache import Cache
from hub.kinds import Kinds
from hub.needs import NEEDS, needed
from hub.settings import CONTROLLERS

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
