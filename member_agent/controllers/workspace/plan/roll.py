"""How a changed Workspace comes to its new pods: beside the old ones where there is room. Pure.

The new engine starts on GPUs that are free or can be had, and once it answers the old one goes.
Where there are none the pods are replaced where they are, one replica of an InferenceSet after
another. What does not answer anyhow is replaced at once.
"""

from dataclasses import dataclass, replace

from fleet.api.core import StatefulSet
from fleet.api.workspace import Workspace
from member_agent.controllers.workspace.plan.actions import Need, Observed, Share
from member_agent.controllers.workspace.plan.engines import (
    ending,
    newest_ready,
    nodes_of,
    pods_of,
    reserved,
    rests,
    said_to_serve,
    serving,
)
from member_agent.controllers.workspace.plan.share import Standing, held, share
from member_agent.controllers.workspace.plan.turns import waits_for
from member_agent.controllers.workspace.plan.workload import Pods, made_for


@dataclass(frozen=True, slots=True)
class Alone:
    """There is to be one engine, on these nodes; `rolls` where it becomes another than it is."""

    share: Share
    rolls: bool = False


@dataclass(frozen=True, slots=True)
class Waits:
    """An engine serves that is out of date, and has to for a while."""

    share: Share
    why: str


@dataclass(frozen=True, slots=True)
class Beside:
    """The engine that serves stays while a new one comes up on other nodes."""

    share: Share
    other: Share


@dataclass(frozen=True, slots=True)
class Shift:
    """The new engine answers: the old one goes."""

    old: StatefulSet
    share: Share


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The new engine goes: it finds no nodes (`failed`), or what is wanted is what was."""

    new: StatefulSet
    share: Share
    failed: bool


Roll = Alone | Waits | Beside | Shift | GiveUp


def roll(workspace: Workspace, need: Need, pods: Pods, observed: Observed) -> Roll:
    """Say what the engines of a Workspace are to become; `pods` is what they are to run."""
    old, new = observed.stateful_set, observed.beside
    if old and new:
        standing = Standing(nodes_of(new, observed), reserved(old, need, observed))
        other = share(workspace, need, observed, standing)
        return _both(old, new, other, pods, observed)
    standing = Standing(nodes_of(old, observed))
    if old is None or made_for(old, pods):
        return Alone(share(workspace, need, observed, standing))
    if not serving(old, observed):
        if said_to_serve(old) and not pods_of(old, observed):
            return Waits(_all(workspace, observed), "its pods are not seen yet")
        return Alone(share(workspace, need, observed, standing), rolls=True)
    return _replaced(workspace, need, old, observed)


def _replaced(workspace: Workspace, need: Need, old: StatefulSet, observed: Observed) -> Roll:
    kept = held(nodes_of(old, observed), observed)
    if first := waits_for(workspace, observed):
        return Waits(kept, f"waits until replica {first} is done")
    standing = Standing(others=reserved(old, need, observed))
    other = share(workspace, need, observed, standing)
    if not other.shortage:
        return Beside(kept, other)
    if leaving := ending(rests(workspace, observed), observed.now, observed.rules.launch_seconds):
        return Waits(kept, f"waits until {leaving} is gone")
    own = Standing(nodes_of(old, observed))
    return Alone(share(workspace, need, observed, own), rolls=True)


def _both(old: StatefulSet, new: StatefulSet, other: Share, pods: Pods, observed: Observed) -> Roll:
    kept = held(nodes_of(old, observed), observed)
    if made_for(old, pods):
        return GiveUp(new, kept, failed=False)
    if made_for(new, pods) and newest_ready(new) and serving(new, observed):
        return Shift(old, other)
    if other.shortage and not serving(new, observed):
        return GiveUp(new, kept, failed=True)
    return Beside(kept, other)


def _all(workspace: Workspace, observed: Observed) -> Share:
    """Keep whatever the Workspace has."""
    kept = held(frozenset(workspace.status.worker_nodes), observed)
    return replace(kept, claims=tuple(claim for claim in observed.claims if not claim.deleting))
