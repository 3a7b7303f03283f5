"""Claims for which the cloud had no instance, and what becomes of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from fleet.api.karpenter import NodeClaim, NodePool
from fleet.api.names import CLAIM_FINALIZER, NODE_POOL, SOLD_OUT
from member_agent.capacity import (
    SoldOut,
    claimed,
    paused,
    reached,
    sold_out,
    sold_out_note,
)
from member_agent.controllers.workspace.plan.actions import (
    Action,
    DeleteClaim,
    Need,
    NoteSoldOut,
    Observed,
    ReleaseClaim,
)


@dataclass(frozen=True, slots=True)
class Settled:
    """What claims that failed lead to, and the world as it is known with them."""

    actions: tuple[Action, ...]
    observed: Observed


def settle(observed: Observed, need: Need) -> Settled:
    """Note sold-out types on their pools, and let go of the claims that showed it.

    A claim of ours that is deleted, not by us, before it was launched, found no instance; so did
    one that waits longer than any launch takes. Our finalizer keeps it until that is written down.
    """
    types = {pool.name: dict(sold_out(pool)) for pool in observed.cluster.pools}
    letting_go: list[Action] = []
    for claim in observed.claims:
        asked = claimed(claim).instance_type
        noted = types.get(claim.metadata.labels.get(NODE_POOL, ""), {})
        if reached(claim, "Launched"):
            _clear(noted, asked, claim)
            letting_go += _released(claim) if claim.deleting else ()
        elif asked == need.instance_type and _failed(claim, observed):
            noted[asked] = paused(noted.get(asked), claim, _why(claim, observed), observed.now)
            letting_go += let_go(claim)
        elif claim.deleting:
            letting_go += _released(claim)
    notes = tuple(_notes(observed.cluster.pools, types))
    return Settled((*notes, *letting_go), _with(observed, notes))


def _failed(claim: NodeClaim, observed: Observed) -> bool:
    """Whether a claim found no instance; one without our finalizer we have let go ourselves."""
    if claim.deleting:
        return CLAIM_FINALIZER in claim.metadata.finalizers
    return waited(claim, observed) >= timedelta(seconds=observed.rules.launch_seconds)


def waited(claim: NodeClaim, observed: Observed) -> timedelta:
    created = claim.metadata.creation_timestamp
    return observed.now - created if created else timedelta()


def let_go(claim: NodeClaim) -> Iterator[Action]:
    """Delete a claim; what is left of it is then Karpenter's to end."""
    yield from _released(claim)
    if not claim.deleting:
        yield DeleteClaim(claim)


def _released(claim: NodeClaim) -> Iterator[Action]:
    if CLAIM_FINALIZER in claim.metadata.finalizers:
        yield ReleaseClaim(claim)


def _clear(noted: dict[str, SoldOut], asked: str, claim: NodeClaim) -> None:
    """A type of which an instance came since is not sold out any more."""
    entry, created = noted.get(asked), claim.metadata.creation_timestamp
    if entry and created and created > entry.since:
        del noted[asked]


def _why(claim: NodeClaim, observed: Observed) -> str:
    told = observed.events.get(claim.name)
    if told:
        return told
    if claim.deleting:
        return f"NodeClaim {claim.name} was deleted before an instance was launched"
    return f"NodeClaim {claim.name}: no instance within {observed.rules.launch_seconds:.0f} s"


def _notes(
    pools: tuple[NodePool, ...], types: Mapping[str, Mapping[str, SoldOut]]
) -> Iterator[NoteSoldOut]:
    for pool in pools:
        if types[pool.name] != sold_out(pool):
            yield NoteSoldOut(pool, types[pool.name])


def _with(observed: Observed, notes: tuple[NoteSoldOut, ...]) -> Observed:
    """See the pools as they are once the notes are written."""
    noted = {note.pool.name: annotated(note.pool, note.types) for note in notes}
    pools = tuple(noted.get(pool.name, pool) for pool in observed.cluster.pools)
    return replace(observed, cluster=replace(observed.cluster, pools=pools))


def annotated(pool: NodePool, types: Mapping[str, SoldOut]) -> NodePool:
    """Give a pool with the note of its sold-out types, or with none where there are none."""
    others = {key: v for key, v in pool.metadata.annotations.items() if key != SOLD_OUT}
    new = others | ({SOLD_OUT: sold_out_note(types)} if types else {})
    metadata = pool.metadata.model_copy(update={"annotations": new})
    return pool.model_copy(update={"metadata": metadata})
