"""Decide what a Workspace needs on this member. Pure: no I/O, no clock, no randomness."""

from collections.abc import Iterator

from fleet.api.core import Node
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
from member_agent.controllers.workspace.plan.need import need
from member_agent.controllers.workspace.plan.share import share
from member_agent.controllers.workspace.plan.sold_out import let_go, settle
from member_agent.controllers.workspace.plan.workload import (
    Made,
    belongs,
    inherited,
    services,
    stamp,
    stamped,
    stateful_set,
)


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
    mine = share(workspace, wanted, settled.observed)
    nodes = ready_nodes(mine, wanted, observed)
    foreign = _foreign(workspace, observed)
    ready = len(nodes) >= wanted.nodes or observed.stateful_set is not None
    workload = tuple(_workload(workspace, wanted, mine, observed, settings)) if ready else ()
    return Plan(
        actions=(
            *hold,
            *settled.actions,
            *_surplus(mine, observed, settled.actions),
            *(() if foreign else (*map(CreateClaim, mine.new), *workload)),
        ),
        outcome=Outcome(
            need=wanted,
            refusal=foreign,
            share=mine,
            nodes=nodes,
            outdated=any(isinstance(action, WriteStatefulSet) for action in workload),
        ),
    )


def _farewell(observed: Observed) -> Iterator[Action]:
    """The pods go first, then their nodes; the finalizer goes after the claims.

    Where the Workspace is gone already only claims that bear our finalizer are ours to end.
    """
    workspace, engine = observed.workspace, observed.stateful_set
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


def ready_nodes(mine: Share, wanted: Need, observed: Observed) -> tuple[Node, ...]:
    """Find which of the Workspace's nodes can run its pods."""
    names = {claim.status.node_name for claim in mine.claims} | {n.name for n in mine.existing}
    return tuple(
        node
        for node in observed.cluster.nodes
        if node.name in names and node.ready and node.gpus >= wanted.gpus
    )


def _surplus(mine: Share, observed: Observed, done: tuple[Action, ...]) -> Iterator[Action]:
    """Give back what is not needed any more."""
    kept = {claim.name for claim in mine.claims}
    for claim in observed.claims:
        if claim.name not in kept and not claim.deleting:
            yield from (action for action in let_go(claim) if action not in done)


def _foreign(workspace: Workspace, observed: Observed) -> Refusal | None:
    there = (observed.stateful_set, *observed.services.values())
    for item in there:
        if item and not belongs(item, workspace):
            return Refusal(f"{item.kind()} {item.key} was there before; it is not the Workspace's")
    return None


def _workload(
    workspace: Workspace, wanted: Need, mine: Share, observed: Observed, settings: Settings
) -> Iterator[Action]:
    engine = stamped(stateful_set(workspace, wanted, mine, observed, settings))
    old = observed.stateful_set
    if old is None or not _as_written(old, engine):
        yield WriteStatefulSet(engine)
    for service in map(stamped, services(workspace)):
        there = observed.services.get(service.name)
        if there is None or not _as_written(there, service):
            yield WriteService(service)


def _as_written(old: Made, new: Made) -> bool:
    """Whether we wrote it so, and nobody has changed what is ours since."""
    mine, theirs = ((each.metadata.labels, each.spec.dump()) for each in (new, old))
    selected = new.spec.selector == old.spec.selector
    return stamp(old) == stamp(new) and selected and all(map(covers, theirs, mine))
