"""A report as a table for people."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from cli.age import NOTHING, age
from cli.rollout.report import Part, Report, State, Step

STYLES: Final = {
    State.PENDING: "dim",
    State.READY: "yellow",
    State.UPDATING: "cyan",
    State.WAITING: "yellow",
    State.STUCK: "red",
    State.STOPPING: "yellow",
    State.STOPPED: "yellow",
    State.LEAVING: "dim",
    State.DONE: "green",
    State.SKIPPED: "dim",
    State.FAILED: "red",
}
TROUBLE: Final = frozenset({State.FAILED, State.STUCK})
"""States whose message is always said."""
SETTLED: Final = frozenset({State.DONE, State.PENDING, State.SKIPPED})
"""States of which a crowded screen shows the number alone."""
_INDENT: Final = "  "


def picture(
    report: Report, now: datetime, *, wide: bool, height: int | None = None
) -> RenderableType:
    """Draw it as of a time; in a height of too few lines without what is settled."""
    below = list(_below(report))
    count = len(below) + sum(1 for _ in _steps(report.whole)) + len(("heading", "headings"))
    brief = height is not None and count > height
    parts: list[RenderableType] = [_heading(report, now)]
    if report.whole.steps:
        parts.append(_table(report, now, wide=wide, brief=brief))
    return Group(*parts, *map(Text, below))


def _heading(report: Report, now: datetime) -> Text:
    whole = report.whole
    since = f" for {age(whole.since, now)}" if whole.since else ""
    heading = Text(f"{report.title}: ", style="bold")
    heading.append(str(whole.state), style=STYLES[whole.state])
    heading.append(f"{since}{_facts(report)}", style="not bold")
    return heading


def _facts(report: Report) -> str:
    facts = report.whole.facts
    said = (
        ("placement", facts.get("placement")),
        ("snapshot", facts.get("resourceSnapshotIndex")),
        ("strategy", facts.get("strategy")),
    )
    return "".join(f", {name} {value}" for name, value in said if value not in {None, ""})


def _table(report: Report, now: datetime, *, wide: bool, brief: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    first = "STAGE" if report.whole.steps[0].part is Part.STAGE else "CLUSTER"
    further = [column.heading for column in report.columns]
    for heading in (first, "STATE", "SINCE", *further, "REASON", *(["MESSAGE"] if wide else [])):
        table.add_column(heading, overflow="fold")
    for depth, step in _steps(report.whole):
        if brief and depth and step.state in SETTLED:
            continue
        name, state, *others = map(escape, _cells(step, report, now))
        message = [escape(step.message)] if wide else []
        styled = f"[{STYLES[step.state]}]{state}[/]"
        table.add_row(_INDENT * depth + name, styled, *others, *message)
    return table


def _steps(above: Step, depth: int = 0) -> Iterator[tuple[int, Step]]:
    for step in above.steps:
        yield depth, step
        yield from _steps(step, depth + 1)


def _cells(step: Step, report: Report, now: datetime) -> Iterator[str]:
    yield step.name
    yield str(step.state)
    yield age(step.since, now)
    yield from (column.cell(step) for column in report.columns)
    yield step.reason or NOTHING


def _below(report: Report) -> Iterator[str]:
    """Say why it does not go well, what it waits for, and what to do."""
    if report.whole.state in TROUBLE and report.whole.message:
        yield f"Why: {report.whole.message}"
    for step in report.whole.clusters():
        if step.state in TROUBLE and step.message and step.message != report.whole.message:
            yield f"Why {step.name}: {step.message}"
    for waited in report.waits_for:
        yield f"Waits for: {waited}"
    for hint in report.next:
        yield f"Next: {hint}"
