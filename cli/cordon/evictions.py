"""Evict all ClusterResourcePlacements from a cluster, as far as their budgets let it."""

from collections.abc import Callable, Iterable
from secrets import token_hex
from typing import Final

from cli.cordon.errors import CordonError
from cli.cordon.hub import cordon
from cli.local.waiting import until
from fleet.api import names
from fleet.api.binding import Binding, ClusterResourceBinding, ResourceBinding
from fleet.api.conditions import Condition, find
from fleet.api.eviction import ClusterResourcePlacementEviction, EvictionSpec
from fleet.api.objects import Metadata
from fleet.kube.client import Client
from fleet.kube.errors import ForbiddenError, RejectedError

ANSWER_SECONDS: Final = 30.0
"""For an answer of the hub, which needs no cluster for it."""
POLL_SECONDS: Final = 0.3
ROUNDS: Final = 2
"""The second is for what was bound there while the first went on."""
Say = Callable[[str], None]


async def drain(hub: Client, name: str, say: Say) -> str:
    """Cordon a cluster and evict what is there; CordonError says what stays."""
    say(await cordon(hub, name))
    stays: dict[str, str] = {}
    for _ in range(ROUNDS):
        for placement, binding in (await _placed(hub, ClusterResourceBinding, name)).items():
            if placement not in stays and (why := await _evict(hub, binding, say)):
                stays[placement] = why
    namespaced = sorted(await _placed(hub, ResourceBinding, name))
    if namespaced:
        say(f"ResourcePlacements are not evicted and stay: {', '.join(namespaced)}")
    if stays:
        reasons = "; ".join(f"{placement}: {why}" for placement, why in stays.items())
        raise CordonError(f"{name} is not drained, these stay: {reasons}")
    again = f"`modelfleet uncordon {name}` lets placements come again"
    return f"{name} is drained: no ClusterResourcePlacement is left there; {again}"


async def _placed(hub: Client, kind: type[Binding], cluster: str) -> dict[str, Binding]:
    """Name the placements that have a binding to the cluster, those that go already apart."""
    bindings: Iterable[Binding] = (await hub.list(kind)).objects()
    here = [b for b in bindings if b.spec.target_cluster == cluster and not b.deleting]
    return {_placement(binding): binding for binding in here}


def _placement(binding: Binding) -> str:
    name = binding.metadata.labels.get(names.PARENT, "")
    return f"{binding.namespace}/{name}" if binding.namespace else name


async def _evict(hub: Client, binding: Binding, say: Say) -> str:
    """Ask for one eviction and tell its answer; give the reason where the placement stays."""
    placement = _placement(binding)
    try:
        made = await hub.create(_eviction(binding, token_hex(4)))
    except (ForbiddenError, RejectedError) as error:
        return str(error)
    answer = await _answer(hub, made)
    if answer is None:
        return f"the hub has not answered {made.name} within {ANSWER_SECONDS:.0f} s: does it run?"
    say(f"{placement}: {answer.message}")
    live = await hub.get(ClusterResourceBinding, binding.key)
    gone = live is None or live.deleting
    return "" if answer.true or gone else answer.message


def _eviction(binding: Binding, mark: str) -> ClusterResourcePlacementEviction:
    """Name it as KubeFleet's tool does; each try is another one, for an answer is final."""
    placement, cluster = _placement(binding), binding.spec.target_cluster
    return ClusterResourcePlacementEviction(
        metadata=Metadata(name=f"drain-eviction-{placement}-{cluster}-{mark}"),
        spec=EvictionSpec(placement_name=placement, cluster_name=cluster),
    )


async def _answer(hub: Client, made: ClusterResourcePlacementEviction) -> Condition | None:
    """Wait for the hub's word: that it was carried out or not, or that it is not valid."""
    said: list[Condition] = []

    async def answered() -> bool:
        live = await hub.get(ClusterResourcePlacementEviction, made.key)
        conditions = live.status.conditions if live else ()
        executed, valid = find(conditions, "Executed"), find(conditions, "Valid")
        if executed:
            said.append(executed)
        elif valid and valid.false:
            said.append(valid)
        return bool(said)

    await until(answered, deadline=ANSWER_SECONDS, poll=POLL_SECONDS)
    return said[0] if said else None
