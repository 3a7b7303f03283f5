"""The engines that a Workspace has: one as a rule, and a newer one beside it while it rolls."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from fleet.api import names
from fleet.api.core import Pod, StatefulSet
from fleet.api.karpenter import NodeClaim
from fleet.api.workspace import Workspace
from member_agent.capacity import ENDED, gpus_of
from member_agent.controllers.workspace.plan.actions import Need, Observed

LONGEST_NAME: Final = 52
"""Of a StatefulSet, whose pods bear it and ten characters more in a label of 63."""
LONGEST_STEM: Final = LONGEST_NAME - 9


class Pair(NamedTuple):
    """The two names that engines of a Workspace have in turn; the first one has its own name."""

    first: str
    second: str

    def beside(self, name: str) -> str:
        return self.second if name == self.first else self.first


def pair(workspace: Workspace) -> Pair:
    digest = names.digest(workspace.metadata.uid, "engine")
    return Pair(workspace.name, f"{workspace.name[:LONGEST_STEM].rstrip('-.')}-{digest}")


def revision(engine: StatefulSet | None) -> int:
    text = engine.metadata.annotations.get(names.WORKSPACE_REVISION, "") if engine else ""
    return int(text) if text.isdecimal() else 0


def by_age(engines: Iterable[StatefulSet]) -> tuple[StatefulSet, ...]:
    """Put the one first that is to give way."""
    return tuple(sorted(engines, key=lambda engine: (revision(engine), engine.name)))


def engine_name(pod: Pod) -> str:
    """Name the StatefulSet that a pod is of."""
    return pod.name.rpartition("-")[0]


def pods_of(engine: StatefulSet | None, observed: Observed) -> tuple[Pod, ...]:
    """Give the pods that an engine has, those that end left out."""
    name = engine.name if engine else ""
    there = (pod for pod in observed.pods if engine_name(pod) == name)
    return tuple(pod for pod in there if not pod.deleting and pod.status.phase not in ENDED)


def nodes_of(engine: StatefulSet | None, observed: Observed) -> frozenset[str]:
    """Name the nodes that an engine's pods are on."""
    return frozenset(pod.spec.node_name for pod in pods_of(engine, observed)) - {""}


def reserved(engine: StatefulSet | None, need: Need, observed: Observed) -> frozenset[str]:
    """Name the nodes of an engine that have no room for a pod of another one beside it."""
    used: dict[str, int] = {}
    for pod in pods_of(engine, observed):
        used[pod.spec.node_name] = used.get(pod.spec.node_name, 0) + gpus_of(pod)
    gpus = {node.name: node.gpus for node in observed.cluster.nodes}
    return frozenset(n for n, count in used.items() if gpus.get(n, 0) - count < need.gpus) - {""}


def serving(engine: StatefulSet, observed: Observed) -> bool:
    """Whether all pods of an engine are ready, whatever their revision."""
    ready = [pod for pod in pods_of(engine, observed) if pod.ready and pod.spec.node_name]
    return 0 < engine.spec.replicas <= len(ready)


def said_to_serve(engine: StatefulSet) -> bool:
    """Whether its controller counts enough ready pods; ours may not have been heard of yet."""
    return 0 < engine.spec.replicas <= engine.status.ready_replicas


def looked_at(engine: StatefulSet) -> bool:
    """Whether its controller has seen its last edit."""
    return engine.status.observed_generation >= engine.metadata.generation


def newest_ready(engine: StatefulSet) -> bool:
    """Whether all pods of an engine are ready, and none is of an earlier revision."""
    status, wanted = engine.status, engine.spec.replicas
    updated = not status.update_revision or status.updated_replicas >= wanted
    return looked_at(engine) and updated and status.ready_replicas >= wanted


@dataclass(frozen=True, slots=True)
class Rests:
    """What there is of a Workspace's engines, those that went too."""

    names: Pair
    engines: tuple[StatefulSet, ...]
    pods: tuple[Pod, ...]
    claims: tuple[NodeClaim, ...]


def rests(workspace: Workspace, observed: Observed) -> Rests:
    engines = (observed.stateful_set, observed.beside)
    there = tuple(engine for engine in engines if engine)
    return Rests(pair(workspace), there, observed.pods, observed.claims)


def leaving(rests: Rests, now: datetime, patience: float) -> tuple[Pod, ...]:
    """List the pods that end, or are about to because their engine is gone.

    A pod whose end takes longer (seconds) is on a node that is lost: nothing waits for it.
    """
    gone = {*rests.names} - {engine.name for engine in rests.engines}
    there = (pod for pod in rests.pods if pod.status.phase not in ENDED)
    ends = (pod for pod in there if pod.deleting or engine_name(pod) in gone)
    return tuple(pod for pod in ends if _soon(pod, now, patience))


def ending(rests: Rests, now: datetime, patience: float) -> str:
    """Name what is about to give its GPUs back; what takes longer is not waited for (seconds)."""
    claims = (c for c in rests.claims if c.deleting and _soon(c, now, patience))
    found = (f"{item.kind()} {item.name}" for item in (*leaving(rests, now, patience), *claims))
    return next(found, "")


def _soon(item: Pod | NodeClaim, now: datetime, patience: float) -> bool:
    """Whether something that ends may still do so; a pod's grace is in its deletion's time."""
    since = item.metadata.deletion_timestamp
    return since is None or (now - since).total_seconds() < patience


def left_over(rests: Rests, now: datetime, patience: float) -> bool:
    """Whether a Workspace has not come to rest after its last change of engines."""
    return len(rests.engines) > 1 or bool(ending(rests, now, patience))
