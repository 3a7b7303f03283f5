"""`history` and `undo`: what a placement was, and how it goes back."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape

from cli.hub_client import hub_client
from cli.options import command
from cli.output import Output, View, print_document, print_table
from cli.rollout.history import HEADINGS, document, revisions
from cli.rollout.options import Named, Viewed
from cli.rollout.running import run
from cli.rollout.steering import turned
from cli.rollout.subject import bindings_of, placement_of, runs_of
from cli.rollout.turns import pause
from cli.rollout.undoing import Known, Plan, Wish, plan
from fleet.api import names
from fleet.kube.client import ApiClient
from fleet.kube.errors import AlreadyExistsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing(Named):
    """How far back, and by which stages."""

    to_index: Annotated[
        int | None, typer.Option(min=0, help="Of the snapshot; else the one before that in use.")
    ] = None
    strategy: Annotated[str, typer.Option(help="Of its stages; else that of the newest run.")] = ""
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the run that would be made, as YAML.")
    ] = False


def _history(options: Viewed) -> None:
    """Show the snapshots of a placement: who has each, which runs bring it, what changed.

    Example: modelfleet rollout history chat

    Example: modelfleet rollout history chat -o json
    """
    known, now = run(_known(options))
    if programs := options.output.for_programs:
        print_document(document(known.placement, known.revisions), programs)
        return
    wide = options.output is View.WIDE
    rows = (map(escape, revision.row(now, wide=wide)) for revision in known.revisions)
    print_table(HEADINGS, map(tuple, rows))


def _undo(options: Undoing) -> None:
    """Bring an older snapshot back, by a new run through the stages of a strategy.

    Runs of the placement that still go on are paused. The newest snapshot stays the newest: the
    next run that names none brings it again.

    Example: modelfleet rollout undo chat

    Example: modelfleet rollout undo chat --to-index 3 --strategy regions --dry-run
    """
    planned = run(_undone(options))
    if options.dry_run:
        print_document(planned.run.manifest(), Output.YAML)
    else:
        typer.echo(planned.said)


async def _known(options: Named) -> tuple[Known, datetime]:
    async with hub_client(options.kubeconfig, options.context) as hub:
        return await _read(hub, options), hub.now()


async def _undone(options: Undoing) -> Plan:
    wish = Wish(to_index=options.to_index, strategy=options.strategy)
    async with hub_client(options.kubeconfig, options.context) as hub:
        planned = plan(await _read(hub, options), wish)
        if not options.dry_run:
            await _do(hub, planned)
    return planned


async def _do(hub: ApiClient, planned: Plan) -> None:
    """Pause first what would bring again what is taken back."""
    for going in planned.pause:
        await turned(hub, going, pause(going))
    if not planned.made:
        with suppress(AlreadyExistsError):
            await hub.create(planned.run)


async def _read(hub: ApiClient, options: Named) -> Known:
    kinds, placement = await placement_of(hub, options.name, options.namespace)
    selector = f"{names.PARENT}={placement.name}"
    snapshots, bindings, runs, strategies = await asyncio.gather(
        hub.list(kinds.resources, options.namespace, selector),
        bindings_of(hub, kinds, placement),
        runs_of(hub, kinds, placement.key),
        hub.list(kinds.strategy, options.namespace),
    )
    return Known(
        kinds=kinds,
        placement=placement,
        revisions=revisions(snapshots.objects(), bindings, runs),
        runs=runs,
        strategies=[strategy.name for strategy in strategies.objects()],
    )


history = command(Viewed, _history)
undo = command(Undoing, _undo)
