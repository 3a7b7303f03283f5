"""`status` and `watch`: how far a rollout is, once or until it ends."""

from datetime import datetime
from typing import Final

import typer
from rich.console import Console

from cli.hub_client import hub_client
from cli.options import command
from cli.output import View, fail, paper, print_document
from cli.rollout.options import Looked, Watched
from cli.rollout.report import Report
from cli.rollout.running import run
from cli.rollout.screen import screen
from cli.rollout.subject import look
from cli.rollout.table import picture
from cli.rollout.watch import watch

NOT_ENDED: Final = 3
"""Exit code where the time to watch was over first."""


def _status(options: Looked) -> None:
    """Show the stages and clusters of a rollout, what it waits for, and what to do next.

    The exit code is 1 where it failed, and 3 where --timeout was over before its end.

    Example: modelfleet rollout status chat

    Example: modelfleet rollout status qwen2-7b -n models -o json
    """
    if options.watch:
        _watch(options)
    else:
        _end(options, *run(_look(options)))


def _watch(options: Watched) -> None:
    """Follow a rollout until it ends.

    A terminal shows all of it as it changes, anything else gets a line for each change. The exit
    code is 1 where it failed, and 3 where --timeout was over before its end.

    Example: modelfleet rollout watch chat

    Example: modelfleet rollout watch chat --timeout 1800
    """
    report, now = run(_follow(options))
    _end(options, report, now)
    if report.goes_on:
        waits = "; ".join(report.waits_for) or "its clusters"
        fail(f"{report.title} has not ended within {options.timeout:g} s: it waits for {waits}")
        raise typer.Exit(NOT_ENDED)


async def _look(options: Watched) -> tuple[Report, datetime]:
    async with hub_client(options.kubeconfig, options.context) as hub:
        return await look(hub, options.name, options.namespace), hub.now()


async def _follow(options: Watched) -> tuple[Report, datetime]:
    """Follow it on stderr where its end is printed for programs."""
    programs, wide = options.output.for_programs, options.output is View.WIDE
    console = Console(stderr=True, highlight=False) if programs else paper()
    async with hub_client(options.kubeconfig, options.context) as hub:
        with screen(console, wide=wide) as shown:
            name, namespace = options.name, options.namespace
            report = await watch(hub, name, namespace, shown, seconds=options.timeout)
        return report, hub.now()


def _end(options: Watched, report: Report, now: datetime) -> None:
    """Print it, and leave by the exit code that says how it went."""
    if programs := options.output.for_programs:
        print_document(report.document(), programs)
    else:
        console = paper()
        wide = options.output is View.WIDE
        console.print(picture(report, now, wide=wide), soft_wrap=not console.is_terminal)
    if report.failed:
        raise typer.Exit(1)


status = command(Looked, _status)
watching = command(Watched, _watch)
