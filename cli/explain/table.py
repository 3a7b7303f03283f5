"""An answer as a table for people."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from cli.explain.answers import Answer, Row
from cli.output import paper
from fleet.api.binding import Allocation
from fleet.api.snapshot import Demand
from fleet.engine.checks import Check

MARKS: Final = {True: "✓", False: "✗", None: "-"}


def show(answers: Sequence[Answer], *, wide: bool) -> None:
    console = paper()
    for place, answer in enumerate(answers):
        if place:
            console.print()
        console.print(Text(answer.question.title, style="bold"))
        for demand in answer.question.demands:
            console.print(Text(f"  {_needs(demand)}", style="dim"))
        console.print(_table(answer, wide=wide))
        if answer.why:
            winner, other, reason = answer.why
            console.print(Text(f"Why {winner} and not {other}: {reason}", style="dim"))
        for cluster, cause in answer.leaving.items():
            console.print(Text(f"Lets go of {cluster}: {cause}", style="yellow"))
        if answer.lacking:
            console.print(Text(answer.lacking, style="yellow"))


def _needs(demand: Demand) -> str:
    what = demand.model or f"{demand.kind} {demand.namespace}/{demand.name}"
    named = ", ".join((*demand.instance_types, *demand.gpu_models))
    facts = [
        f"{demand.replicas} x {what}",
        f"weights {demand.weights_gib} GiB" if demand.model else "",
        f"{demand.gpus_per_replica} GPUs a replica" if demand.gpus_per_replica else "",
        f"on {named}" if named else "",
    ]
    return ", ".join(filter(None, facts))


def _table(answer: Answer, *, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("", "CLUSTER", "REGION", "TAKES"):
        table.add_column(name, overflow="fold")
    table.add_column("$/H", justify="right")
    table.add_column("SCORE", justify="right")
    for name in ("POINTS", "FILTERS") if wide else ():
        table.add_column(name, overflow="fold")
    table.add_column("REASON", overflow="fold", ratio=1)
    for row in answer.rows:
        further = _further(row) if wide else ()
        table.add_row(*_cells(row), *further, _reason(row, wide=wide), style=_style(row))
    return table


def _further(row: Row) -> tuple[str, str]:
    """Show every point and every filter, a line each."""
    points = (*(f"{name} {each:+d}" for name, each in row.parts.items()), *_wishes(row))
    filters = (f"{MARKS[check.passes]} {_said(check)}" for check in row.checks)
    return "\n".join(points) or "-", "\n".join(filters) or "-"


def _wishes(row: Row) -> Iterator[str]:
    """Show what the affinity is made of."""
    yield from (f"  {w.points:+d} of {w.weight:+d}: {w.wish}" for w in row.wishes)


def _said(check: Check) -> str:
    return f"{check.filter}: {check.reason}" if check.reason else check.filter


def _cells(row: Row) -> tuple[str, ...]:
    usd = row.usd_per_hour
    return (
        "✓" if row.chosen else "",
        row.cluster,
        row.region,
        "\n".join(map(_takes, row.allocations)) or "-",
        "-" if usd is None else f"{usd:.2f}",
        "-" if row.points is None else str(row.points),
    )


def _takes(given: Allocation) -> str:
    gpus = given.replicas * given.gpus_per_replica
    return f"{given.nodes} x {given.instance_type} ({gpus} GPU{'' if gpus == 1 else 's'})"


def _reason(row: Row, *, wide: bool) -> str:
    if row.rejected_by and wide:
        return f"refused by {row.rejected_by}"
    if row.rejected_by:
        return row.refusals or f"{row.rejected_by}: {row.reason}"
    told = {name: points for name, points in row.parts.items() if points and not wide}
    parts = ", ".join(f"{name} {points:+d}" for name, points in told.items())
    refused = f"would be refused anew: {row.refusals}" if row.refusals else ""
    return ": ".join(filter(None, (row.reason, parts or refused)))


def _style(row: Row) -> str:
    if row.chosen:
        return "green"
    return "dim" if row.rejected_by else ""
