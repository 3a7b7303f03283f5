"""`approve`, `pause` and `resume`: what a person says to a run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import typer

from cli.hub_client import hub_client
from cli.options import command
from cli.rollout.approvals import Wanted, When, choose, word
from cli.rollout.options import Named
from cli.rollout.running import run
from cli.rollout.subject import RolloutError, Subject, find
from cli.rollout.turns import Turn, pause, resume
from fleet.api import names
from fleet.api.staged_update import UpdateRun
from fleet.kube.client import ApiClient, swap
from fleet.kube.errors import ConflictError


@dataclass(frozen=True, slots=True, kw_only=True)
class Approving(Named):
    """Which request is approved."""

    stage: Annotated[str, typer.Option(help="Where several wait: of which stage.")] = ""
    before: Annotated[
        bool | None,
        typer.Option("--before/--after", help="Where several wait: on which side of the stage."),
    ] = None


def _approve(options: Approving) -> None:
    """Let a run go on that waits for a person's word; said twice it is said once.

    Example: modelfleet rollout approve chat

    Example: modelfleet rollout approve chat --stage apac --before
    """
    typer.echo(run(_approved(options)))


def _pause(options: Named) -> None:
    """Have a run begin no further cluster; those that are being updated finish.

    Example: modelfleet rollout pause chat
    """
    typer.echo(run(_turned(options, pause)))


def _resume(options: Named) -> None:
    """Have a paused run go on, or start one that was made with state Initialize.

    Example: modelfleet rollout resume chat
    """
    typer.echo(run(_turned(options, resume)))


async def _approved(options: Approving) -> str:
    side = {None: None, True: When.BEFORE, False: When.AFTER}[options.before]
    async with hub_client(options.kubeconfig, options.context) as hub:
        found = await find(hub, options.name, options.namespace)
        asking = run_of(found)
        selector = f"{names.TARGET_UPDATE_RUN}={asking.name}"
        listing = await hub.list(found.kinds.approval, options.namespace, selector)
        chosen = choose(listing.objects(), Wanted(options.stage, side), asking.name)
        if not chosen.given:
            await hub.patch_status(chosen.request, word(chosen.request, hub.now()))
    already = " already" if chosen.given else ""
    return f"{chosen.request.kind()} {chosen.request.key} is approved{already}"


async def _turned(options: Named, decide: Callable[[UpdateRun], Turn]) -> str:
    async with hub_client(options.kubeconfig, options.context) as hub:
        meant = run_of(await find(hub, options.name, options.namespace))
        turn = decide(meant)
        await turned(hub, meant, turn)
    return turn.said


async def turned(hub: ApiClient, meant: UpdateRun, turn: Turn) -> None:
    """Bring a run to the state that it is to have; RolloutError where others change it too."""
    if turn.to is None:
        return
    try:
        await hub.json_patch(meant, swap("/spec/state", meant.spec.state, turn.to))
    except ConflictError as error:
        raise RolloutError(f"{meant.name} was changed meanwhile: say it again") from error


def run_of(found: Subject) -> UpdateRun:
    """Take the run that is steered; RolloutError where a placement has none."""
    if found.run is None:
        assert found.placement
        there = f"{found.placement.kind()} {found.placement.key}"
        raise RolloutError(f"{there} has no {found.kinds.run.kind()}: there is nothing to steer")
    return found.run


approving = command(Approving, _approve)
pausing = command(Named, _pause)
resuming = command(Named, _resume)
