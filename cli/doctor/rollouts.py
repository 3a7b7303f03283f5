"""Find the rollouts that nobody seems to look after. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from cli.doctor.facts import Facts
from cli.doctor.findings import Finding, State
from cli.rollout import runs
from cli.rollout.advice import command
from cli.rollout.report import Part, Report, Step
from cli.rollout.report import State as Going

LONG: Final = timedelta(hours=1)
"""For which an approval may be waited for before it seems to be forgotten."""


def findings(facts: Facts) -> Iterator[Finding]:
    """Name each run that is stuck, or waits long for a word: a hint, for it may be meant."""
    for run in facts.hub.runs or ():
        report = runs.report(run)
        if said := _stuck(report) or _forgotten(report, facts.now):
            hint = command("status", run.key)
            yield Finding(f"rollout {run.key}", State.WARNING, said, hint.strip("`"))


def _stuck(report: Report) -> str:
    whole = report.whole
    return f"is stuck: {whole.message}" if whole.state is Going.STUCK else ""


def _forgotten(report: Report, now: datetime) -> str:
    asked = [
        task
        for stage in report.whole.steps
        for task in stage.steps
        if _is_asked(task) and task.since and now - task.since > LONG
    ]
    return f"has waited for {asked[0].name} for over an hour" if asked and report.goes_on else ""


def _is_asked(step: Step) -> bool:
    waits = step.part is Part.TASK and step.state is Going.WAITING
    return waits and "approvalRequest" in step.facts
