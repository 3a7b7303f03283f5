"""What a name on the hub leads to: an update run, or a placement and the newest of its runs."""

from dataclasses import dataclass
from typing import Final

from cli.rollout import placements, runs
from cli.rollout.report import Report
from fleet.api import names
from fleet.api.binding import Binding
from fleet.api.objects import Key
from fleet.api.placement import Placement
from fleet.api.scope import CLUSTER, NAMESPACED, Scope
from fleet.api.staged_update import (
    UpdateRun,
)
from fleet.kube.client import Client

A_RUN: Final = "run/"
"""Before the name of a run that a placement shares it with."""


class RolloutError(Exception):
    """What the user asks cannot be done; the text says why, and what can."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A run, a placement, or both."""

    kinds: Scope
    placement: Placement | None
    run: UpdateRun | None


def kinds_in(namespace: str) -> Scope:
    """Without a namespace it is the cluster-scoped kinds that are meant."""
    return NAMESPACED if namespace else CLUSTER


async def find(hub: Client, name: str, namespace: str) -> Subject:
    """Find a placement with the newest of its runs, else a run; RolloutError without either."""
    kinds, key = kinds_in(namespace), Key(namespace, name.removeprefix(A_RUN))
    if not name.startswith(A_RUN) and (placement := await hub.get(kinds.placement, key)):
        made = await runs_of(hub, kinds, key)
        return Subject(kinds, placement, made[-1] if made else None)
    run = await hub.get(kinds.run, key)
    if run is None:
        there = kinds.run.kind()
        if key.name == name:
            there = f"{kinds.placement.kind()} or {there}"
        hint = "" if namespace else "; the kinds within a namespace need -n NAMESPACE"
        raise RolloutError(f"there is no {there} {key} on the hub{hint}")
    return Subject(kinds, None, run)


async def runs_of(hub: Client, kinds: Scope, placement: Key) -> list[UpdateRun]:
    """List the runs of a placement, the oldest first."""
    listing = await hub.list(kinds.run, placement.namespace)
    mine = [run for run in listing.objects() if run.spec.placement_name == placement.name]
    return sorted((run for run in mine if not run.deleting), key=_made)


def _made(run: UpdateRun) -> tuple[str, str]:
    """Order runs by when they were made, those of one second by name."""
    made = run.metadata.creation_timestamp
    return made.isoformat() if made else "", run.name


async def placement_of(hub: Client, name: str, namespace: str) -> tuple[Scope, Placement]:
    """Find the placement that is named, or that a run is of."""
    found = await find(hub, name, namespace)
    if found.placement:
        return found.kinds, found.placement
    assert found.run
    key = Key(namespace, found.run.spec.placement_name)
    placement = await hub.get(found.kinds.placement, key)
    if placement is None:
        gone = f"{found.kinds.placement.kind()} {key}"
        raise RolloutError(f"there is no {gone} on the hub, which {found.run.name} names")
    return found.kinds, placement


async def bindings_of(hub: Client, kinds: Scope, placement: Placement) -> tuple[Binding, ...]:
    selector = f"{names.PARENT}={placement.name}"
    return (await hub.list(kinds.binding, placement.namespace, selector)).objects()


async def look(hub: Client, name: str, namespace: str) -> Report:
    """Report on what the name leads to."""
    found = await find(hub, name, namespace)
    if found.run and (found.placement is None or placements.external(found.placement)):
        return runs.report(found.run)
    assert found.placement
    bindings = await bindings_of(hub, found.kinds, found.placement)
    return placements.report(found.placement, bindings)
