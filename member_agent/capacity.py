"""What GPU nodes a cluster has, who holds them, and what its NodePools may still provide. Pure."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from fleet.api import names
from fleet.api.conditions import find
from fleet.api.core import Container, Node, Pod
from fleet.api.karpenter import NodeClaim, NodePool, Requirement
from fleet.api.objects import Key, Model
from fleet.engine.quantity import parse

ON_DEMAND: Final = "on-demand"
UNLIMITED: Final = 1000
"""Nodes that a pool without a limit is said to have room for."""
FIRST_PAUSE: Final = timedelta(minutes=3)
LONGEST_PAUSE: Final = timedelta(hours=1)
ENDED: Final = frozenset({"Succeeded", "Failed"})
"""Phases of pods that use nothing any more."""


class SoldOut(Model):
    """That a pool's cloud had no instance of a type, kept on the NodePool itself."""

    until: datetime
    """No node of the type is asked for before."""
    seconds: int
    """Length of the pause; the next one is twice as long."""
    claim: str
    """The uid of the claim that showed it last."""
    message: str = ""

    @property
    def since(self) -> datetime:
        return self.until - timedelta(seconds=self.seconds)


_SOLD_OUT: Final = TypeAdapter(dict[str, SoldOut])


def sold_out(pool: NodePool) -> Mapping[str, SoldOut]:
    """Read which instance types a pool could not provide; nonsense is as good as nothing."""
    text = pool.metadata.annotations.get(names.SOLD_OUT, "")
    try:
        return _SOLD_OUT.validate_json(text) if text else {}
    except ValidationError:
        return {}


def sold_out_note(types: Mapping[str, SoldOut]) -> str:
    """Write it down as the annotation that `sold_out` reads."""
    return json.dumps({name: types[name].model_dump(mode="json") for name in sorted(types)})


def paused(old: SoldOut | None, claim: NodeClaim, message: str, now: datetime) -> SoldOut:
    """Note a claim that got no instance: the pause doubles with each try that fails after it."""
    if old and old.claim == claim.metadata.uid:
        return old
    if old and now < old.until:
        return old.model_copy(update={"claim": claim.metadata.uid})
    pause = min(timedelta(seconds=old.seconds) * 2, LONGEST_PAUSE) if old else FIRST_PAUSE
    return SoldOut(
        until=now + pause,
        seconds=int(pause.total_seconds()),
        claim=claim.metadata.uid,
        message=message,
    )


def offers(pool: NodePool, key: str) -> tuple[str, ...]:
    """List the values that a pool's requirements allow for a label."""
    wanted = (r for r in pool.spec.template.spec.requirements if r.key == key)
    return next((r.values for r in wanted if r.operator == "In"), ())


def instance_types(pool: NodePool) -> tuple[str, ...]:
    return offers(pool, names.INSTANCE_TYPE)


def capacity_types(pool: NodePool) -> tuple[str, ...]:
    return offers(pool, names.CAPACITY_TYPE) or (ON_DEMAND,)


def value_of(requirements: Iterable[Requirement], key: str) -> str:
    """Give the one value that a claim requires of a label."""
    found = (r.values[0] for r in requirements if r.key == key and r.values)
    return next(found, "")


class ClaimedType(NamedTuple):
    """What a claim asks for."""

    instance_type: str
    capacity_type: str
    gpus: int


def claimed(claim: NodeClaim) -> ClaimedType:
    requests = (claim.spec.resources or {}).get("requests") or {}
    return ClaimedType(
        value_of(claim.spec.requirements, names.INSTANCE_TYPE),
        value_of(claim.spec.requirements, names.CAPACITY_TYPE) or ON_DEMAND,
        int(requests.get(names.GPU, 0)),
    )


def reached(claim: NodeClaim, stage: str) -> bool:
    """Whether Karpenter says that a claim has come as far as Launched, Registered, Initialized."""
    condition = find(claim.status.conditions, stage)
    return condition is not None and condition.true


def in_flight(claims: Iterable[NodeClaim], nodes: Iterable[Node]) -> list[NodeClaim]:
    """Give the claims whose nodes are not there yet, or do not show their GPUs yet."""
    there = {node.name for node in nodes if node.gpus}
    return [claim for claim in claims if claim.status.node_name not in there]


def room(pool: NodePool, gpus: int, nodes: Sequence[Node], claims: Sequence[NodeClaim]) -> int:
    """Count the nodes of `gpus` GPUs that may still be made within a pool's limit.

    Karpenter does not hold NodeClaims to the limit, so that claims in flight count as nodes.
    """
    limit = pool.spec.limits.get(names.GPU)
    if limit is None or gpus <= 0:
        return UNLIMITED
    waiting = in_flight(claims, nodes)
    used = sum(node.gpus for node in nodes if _of(pool, node.metadata.labels))
    used += sum(claimed(claim).gpus for claim in waiting if _of(pool, claim.metadata.labels))
    return max(0, int(parse(str(limit)) or 0) - used) // gpus


def _of(pool: NodePool, labels: Mapping[str, str]) -> bool:
    return labels.get(names.NODE_POOL) == pool.name


def holder(labels: Mapping[str, str]) -> Key | None:
    """Name the Workspace for which a node or a claim was made."""
    name = labels.get(names.WORKSPACE)
    return Key(labels.get(names.WORKSPACE_NAMESPACE, ""), name) if name else None


def gpus_of(pod: Pod) -> int:
    """Count the GPUs that a pod has, or will have once it is bound."""
    return 0 if pod.status.phase in ENDED else gpus_asked(pod)


def gpus_asked(pod: Pod) -> int:
    """Count the GPUs that a pod asks for, or asked for before it ended."""
    return sum(map(_gpus, pod.spec.containers))


def _gpus(container: Container) -> int:
    limits = container.resources.get("limits") or container.resources.get("requests") or {}
    return int(limits.get(names.GPU, 0))


def gpus_in_use(pods: Iterable[Pod]) -> Counter[str]:
    """Count by node the GPUs that pods have."""
    used: Counter[str] = Counter()
    for pod in pods:
        if pod.spec.node_name:
            used[pod.spec.node_name] += gpus_of(pod)
    return used


def region_of(nodes: Iterable[Node]) -> str:
    """Name the region that most nodes carry; of several the first by name."""
    counted = Counter(node.metadata.labels.get(names.REGION, "") for node in nodes)
    del counted[""]
    return min(counted, key=lambda region: (-counted[region], region), default="")
