"""Decide which member has a ClusterProfile, and what it says. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fleet.api import names
from fleet.api.cluster import MemberCluster
from fleet.api.cluster_profile import ClusterManager, ClusterProfile, ClusterProfileSpec
from fleet.api.objects import Metadata

MANAGER: Final = "KubeFleet"
"""By which other tools know the profiles of a fleet: KubeFleet's name for itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    cluster: MemberCluster | None
    profile: ClusterProfile | None
    served: bool = True
    """Whether the hub has the kind; where it has not, nothing of it is written."""
    silent: bool = False
    """Whether the member's heartbeats are missing."""


@dataclass(frozen=True, slots=True)
class Write:
    profile: ClusterProfile


@dataclass(frozen=True, slots=True)
class Delete:
    profile: ClusterProfile


@dataclass(frozen=True, slots=True)
class Release:
    """Take from a leaving cluster the finalizer by which KubeFleet waits for its profile's end."""

    cluster: MemberCluster


Action = Write | Delete | Release


def plan(observed: Observed, namespace: str) -> tuple[Action, ...]:
    cluster, profile = observed.cluster, observed.profile
    if cluster is None or cluster.deleting:
        return tuple(_end(cluster, profile if observed.served else None))
    if not observed.served or not (profile or cluster.joined):
        return ()
    wanted = wanted_of(cluster, namespace)
    if profile is None or (ours(profile) and not profile.deleting and _differs(profile, wanted)):
        return (Write(wanted),)
    return ()


def ours(profile: ClusterProfile) -> bool:
    """Say whether a profile is a fleet's: another manager's is left alone."""
    return profile.spec.cluster_manager.name == MANAGER


def wanted_of(cluster: MemberCluster, namespace: str) -> ClusterProfile:
    # A profile keeps nobody from going: to say so would ask for one more right.
    owner = cluster.owner_reference().model_copy(update={"block_owner_deletion": None})
    return ClusterProfile(
        metadata=Metadata(
            name=cluster.name,
            namespace=namespace,
            labels={names.CLUSTER_MANAGER: MANAGER},
            owner_references=(owner,),
        ),
        spec=ClusterProfileSpec(
            display_name=cluster.name, cluster_manager=ClusterManager(name=MANAGER)
        ),
    )


def _end(cluster: MemberCluster | None, profile: ClusterProfile | None) -> Iterator[Action]:
    if profile and ours(profile) and not profile.deleting:
        yield Delete(profile)
    if cluster and names.PROFILE_FINALIZER in cluster.metadata.finalizers:
        yield Release(cluster)


def _differs(profile: ClusterProfile, wanted: ClusterProfile) -> bool:
    there, labels = profile.metadata, wanted.metadata.labels
    owned = {owner.uid for owner in wanted.metadata.owner_references}
    return not (
        profile.spec == wanted.spec
        and labels.items() <= there.labels.items()
        and owned <= {owner.uid for owner in there.owner_references}
    )
