"""What changed between two reports, in lines for a log. Pure."""

from collections.abc import Iterator

from cli.rollout.report import Part, Report, State, Step

QUIET = frozenset({State.PENDING})
"""States that are nothing to speak of when a watch begins."""


def changes(before: Report | None, now: Report) -> Iterator[str]:
    """Tell what became of each step, then of the whole, and what it waits for now."""
    known = dict(_states(before.whole)) if before else {}
    for path, step in _steps(now.whole):
        if known.get(path) is not step.state and (path in known or step.state not in QUIET):
            yield _line(path, step)
    if before is None or (before.whole.state, before.title) != (now.whole.state, now.title):
        yield f"{now.title}: {_said(now.whole)}"
    if before is None or before.waits_for != now.waits_for:
        yield from (f"waits for {waited}" for waited in now.waits_for)


def _steps(above: Step, path: str = "") -> Iterator[tuple[str, Step]]:
    for step in above.steps:
        if step.part is Part.STAGE:
            yield from _steps(step, f"stage {step.name}")
            yield f"stage {step.name}", step
        else:
            yield f"{path}: {step.name}" if path else step.name, step


def _states(whole: Step) -> Iterator[tuple[str, State]]:
    yield from ((path, step.state) for path, step in _steps(whole))


def _line(path: str, step: Step) -> str:
    return f"{path} is {_said(step)}"


def _said(step: Step) -> str:
    """Name the state, how far it is, and why it does not go well."""
    progress = f" ({step.facts['done']}/{step.facts['total']})" if "total" in step.facts else ""
    why = f": {step.message}" if step.state in {State.FAILED, State.STUCK} and step.message else ""
    return f"{step.state}{progress}{why}"
