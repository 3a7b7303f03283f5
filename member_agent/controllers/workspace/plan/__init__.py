"""Decide what a Workspace needs on this member. Pure: no I/O, no clock, no randomness."""

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.api.core import Node, StatefulSet
from fleet.api.karpenter import NodeClaim
from fleet.api.names import CLAIM_FINALIZER, WORKSPACE_FINALIZER
from fleet.api.workspace import Workspace
from member_agent.controllers.workspace.plan.actions import (
    Action,
    CreateClaim,
    DeleteStatefulSet,
    Hold,
    Need,
    Observed,
    Outcome,
    Plan,
    Refusal,
    Release,
    Share,
    WriteService,
    WriteStatefulSet,
)
from member_agent.controllers.workspace.plan.config import Settings, settings_of
from member_agent.controllers.workspace.plan.covering import covers
from member_agent.controllers.workspace.plan.engines import leaving, pair, rests, revision
from member_agent.controllers.workspace.plan.need import need
from member_agent.controllers.workspace.plan.roll import (
    Alone,
    Beside,
    GiveUp,
    Roll,
    Shift,
    Waits,
    roll,
)
from member_agent.controllers.workspace.plan.sold_out import let_go, settle
from member_agent.controllers.workspace.plan.workload import (
    Form,
    Made,
    belongs,
    inherited,
    pods,
    services,
    stamp,
    stamped,
    stateful_set,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a Workspace asks for, and what that takes here."""

    workspace: Workspace
    need: Need
    settings: Settings


def plan(observed: Observed) -> Plan:
    """Compare what a Workspace needs with what is there, and list the steps between them."""
    workspace = observed.workspace
    if workspace is None or workspace.deleting:
        return Plan(tuple(_farewell(observed)))
    if inherited(workspace, observed.stateful_set):
        return Plan(())
    held = WORKSPACE_FINALIZER in workspace.metadata.finalizers
    hold = () if held else (Hold(workspace),)
    settings = settings_of(workspace, observed.config)
    wanted = settings if isinstance(settings, Refusal) else need(workspace, observed, settings)
    if isinstance(settings, Refusal) or isinstance(wanted, Refusal):
        return Plan(hold, _refused(wanted, observed))
    return _served(workspace, wanted, observed, settings, hold)


def _served(
    workspace: Workspace,
    wanted: Need,
    observed: Observed,
    settings: Settings,
    hold: tuple[Hold, ...],
) -> Plan:
    settled = settle(observed, wanted)
    rolled = roll(workspace, wanted, pods(workspace, wanted, observed, settings), settled.observed)
    foreign = _foreign(workspace, observed)
    asked = Asked(workspace, wanted, settings)
    workload = () if foreign else tuple(_workload(asked, rolled, observed))
    claims = () if foreign else _lacking(rolled)
    surplus = _surplus(workspace, rolled, observed, settled.actions)
    return Plan(
        actions=(*hold, *settled.actions, *surplus, *map(CreateClaim, claims), *workload),
        outcome=_outcome(wanted, foreign, rolled, workload, observed),
    )


def _outcome(
    wanted: Need,
    foreign: Refusal | None,
    rolled: Roll,
    workload: tuple[Action, ...],
    observed: Observed,
) -> Outcome:
    newest = observed.beside if isinstance(rolled, Beside | Shift) else observed.stateful_set
    return Outcome(
        need=wanted,
        refusal=foreign,
        share=rolled.share,
        nodes=ready_nodes(rolled.share, wanted, observed),
        outdated=_outdated(rolled, workload, observed),
        other=rolled.other if isinstance(rolled, Beside) else None,
        waits=rolled.why if isinstance(rolled, Waits) else "",
        newest=newest,
    )


def _outdated(rolled: Roll, workload: tuple[Action, ...], observed: Observed) -> bool:
    """Whether what serves is not what is asked for, or is only just being made so."""
    if isinstance(rolled, Alone):
        old = observed.stateful_set
        new = (each.stateful_set for each in workload if isinstance(each, WriteStatefulSet))
        return rolled.rolls or any(old and not covers(old.spec.dump(), e.spec.dump()) for e in new)
    return isinstance(rolled, Waits | Beside) or (isinstance(rolled, GiveUp) and rolled.failed)


def _lacking(rolled: Roll) -> tuple[NodeClaim, ...]:
    if isinstance(rolled, Beside):
        return rolled.other.new
    return rolled.share.new if isinstance(rolled, Alone) else ()


def _farewell(observed: Observed) -> Iterator[Action]:
    """The pods go first, then their nodes; the finalizer goes after the claims.

    Where the Workspace is gone already only claims that bear our finalizer are ours to end.
    """
    workspace = observed.workspace
    for engine in (observed.stateful_set, observed.beside):
        if workspace and engine and belongs(engine, workspace) and not engine.deleting:
            yield DeleteStatefulSet(engine)
    for claim in observed.claims:
        if workspace or CLAIM_FINALIZER in claim.metadata.finalizers:
            yield from let_go(claim)
    if workspace and not observed.claims and WORKSPACE_FINALIZER in workspace.metadata.finalizers:
        yield Release(workspace)


def _refused(refusal: Need | Refusal, observed: Observed) -> Outcome:
    """What runs already goes on: a Workspace that cannot be read changes nothing."""
    used = set(observed.workspace.status.worker_nodes) if observed.workspace else set()
    nodes = tuple(node for node in observed.cluster.nodes if node.name in used)
    kept = tuple(claim for claim in observed.claims if not claim.deleting)
    why = refusal if isinstance(refusal, Refusal) else None
    return Outcome(refusal=why, share=Share(claims=kept), nodes=nodes)


def ready_nodes(mine: Share, wanted: Need | None, observed: Observed) -> tuple[Node, ...]:
    """Find which of the Workspace's nodes can run its pods."""
    gpus = wanted.gpus if wanted else 0
    names = {claim.status.node_name for claim in mine.claims} | {n.name for n in mine.existing}
    return tuple(
        node
        for node in observed.cluster.nodes
        if node.name in names and node.ready and node.gpus >= gpus
    )


def _surplus(
    workspace: Workspace, rolled: Roll, observed: Observed, done: tuple[Action, ...]
) -> Iterator[Action]:
    """Give back what is not needed any more, once the pods that were there have ended."""
    if isinstance(rolled, Shift | GiveUp):
        return
    shares = (rolled.share, rolled.other) if isinstance(rolled, Beside) else (rolled.share,)
    kept = {claim.name for share in shares for claim in share.claims}
    there, patience = rests(workspace, observed), observed.rules.launch_seconds
    busy = {pod.spec.node_name for pod in leaving(there, observed.now, patience)} - {""}
    for claim in observed.claims:
        if not (claim.deleting or claim.name in kept or claim.status.node_name in busy):
            yield from (action for action in let_go(claim) if action not in done)


def _foreign(workspace: Workspace, observed: Observed) -> Refusal | None:
    there = (observed.stateful_set, observed.beside, *observed.services.values())
    for item in there:
        if item and not belongs(item, workspace):
            return Refusal(f"{item.kind()} {item.key} was there before; it is not the Workspace's")
    return None


def _workload(asked: Asked, rolled: Roll, observed: Observed) -> Iterator[Action]:
    engines = tuple(_engines(asked, rolled, observed))
    yield from engines
    if not engines and observed.stateful_set is None:
        return
    for service in map(stamped, services(asked.workspace)):
        there = observed.services.get(service.name)
        if there is None or not _as_written(there, service):
            yield WriteService(service)


def _engines(asked: Asked, rolled: Roll, observed: Observed) -> Iterator[Action]:
    old = observed.stateful_set
    match rolled:
        case Shift(engine) | GiveUp(engine):
            yield DeleteStatefulSet(engine)
        case Alone(mine, rolls):
            name = old.name if old else asked.workspace.name
            form = Form(name=name, revision=max(1, revision(old) + rolls), share=mine)
            yield from _engine(asked, form, old, observed)
        case Beside(_, mine) if old:
            name = pair(asked.workspace).beside(old.name)
            form = Form(name=name, revision=revision(old) + 1, share=mine)
            yield from _engine(asked, form, observed.beside, observed)
        case _:
            pass


def _engine(
    asked: Asked, form: Form, there: StatefulSet | None, observed: Observed
) -> Iterator[WriteStatefulSet]:
    """Write an engine that is there otherwise, or for which the nodes are there."""
    nodes = ready_nodes(form.share, asked.need, observed)
    if there is None and len(nodes) < asked.need.nodes:
        return
    made = stateful_set(asked.workspace, asked.need, form, observed, asked.settings)
    new = stamped(made)
    if there is None or not _as_written(there, new):
        yield WriteStatefulSet(new)


def _as_written(old: Made, new: Made) -> bool:
    """Whether we wrote it so, and nobody has changed what is ours since."""
    mine, theirs = ((each.metadata.labels, each.spec.dump()) for each in (new, old))
    selected = new.spec.selector == old.spec.selector
    return stamp(old) == stamp(new) and selected and all(map(covers, theirs, mine))
