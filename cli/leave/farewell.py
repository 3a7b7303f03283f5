"""What becomes of a member that leaves, said before and while it does. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fleet.api import names
from fleet.api.binding import Binding, ClusterResourceBinding
from fleet.api.cluster import MemberCluster
from fleet.api.core import Namespace
from fleet.api.work import Work
from fleet.engine.silence import HEARTBEATS

AFTERWARDS: Final = """\
On its cluster the agent is removed by:

helm uninstall modelfleet-member-agent --namespace modelfleet-system
kubectl delete secret modelfleet-hub-token --namespace modelfleet-system

The kinds of modelfleet-crds stay: the Workspaces that run are of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A member, and what the fleet has there."""

    member: MemberCluster
    bindings: tuple[Binding, ...] = ()
    """Of all members."""
    works: tuple[Work, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is still on the hub of a member that leaves."""

    member: MemberCluster | None
    namespace: Namespace | None = None
    works: tuple[Work, ...] = ()

    @property
    def gone(self) -> bool:
        return self.member is None and self.namespace is None


def outlook(there: Found, now: datetime) -> list[str]:
    """Say what leaving means for this member."""
    name = there.member.name
    placed = sorted(set(_placements(there.bindings, name)))
    home, count = names.member_namespace(name), len(there.works)
    works = f"{count} Work{'' if count == 1 else 's'}"
    return [
        f"{name} is to leave the fleet:",
        f"- {_placed(placed)}",
        "- its workloads keep running as they are, but the fleet no longer changes or sees them",
        f"- the hub removes MemberCluster {name} and namespace {home}, with {works} in it",
        f"- {_agent(there.member, now)}",
    ]


def _placed(placements: Iterable[str]) -> str:
    there = ", ".join(placements)
    if not there:
        return "no placement has work there"
    return f"placements with work there, which go elsewhere where they may: {there}"


def _placements(bindings: Iterable[Binding], cluster: str) -> Iterator[str]:
    for binding in bindings:
        if binding.spec.target_cluster == cluster and not binding.deleting:
            name = binding.metadata.labels.get(names.PARENT, binding.name)
            of_cluster = isinstance(binding, ClusterResourceBinding)
            yield name if of_cluster else f"{binding.namespace}/{name}"


def _agent(member: MemberCluster, now: datetime) -> str:
    beat, period = member.heartbeat, member.spec.heartbeat_period_seconds
    if beat is None:
        return "its agent has never reported, and is not waited for"
    if now - beat < timedelta(seconds=HEARTBEATS * period):
        return "its agent lets go first; it was heard of just now"
    since = f"{beat:%Y-%m-%d %H:%M:%S} UTC"
    return (
        f"its agent was last heard of at {since}: the hub waits for it"
        " (15 minutes, unless HUB_FORCE_LEAVE_SECONDS says otherwise) and then goes on without it"
    )


def waiting_for(left: Left) -> str:
    """Say what keeps a member from being gone."""
    if left.namespace is None:
        return "waits until the hub lets go of the MemberCluster: does the hub run?"
    if left.namespace.deleting:
        return f"waits until namespace {left.namespace.name} is empty"
    held = sum(bool(work.metadata.finalizers) for work in left.works)
    if held:
        return f"waits until the agent has let go of its Works: {held}"
    return "waits until the agent has said that it leaves"
