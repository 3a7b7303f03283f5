"""Where a rollout is followed: a picture on a terminal, and lines in a log."""

from io import StringIO

from rich.console import Console

from cli.rollout.runs import report
from cli.rollout.screen import screen
from fleet.api.staged_update import ClusterStagedUpdateRun
from tests.unit.cli.rollout.bodies import (
    GOING,
    NOON,
    PLANNED,
    STAGE_GOING,
    STARTED,
    cluster,
    run,
    stage,
)

REPORT = report(
    ClusterStagedUpdateRun.model_validate(
        run(PLANNED, GOING, stages=[stage("us", [cluster("us-1", STARTED)], STAGE_GOING)])
    )
)


def followed(*, terminal: bool) -> str:
    """Show a rollout twice, with trouble between."""
    file = StringIO()
    console = Console(file=file, force_terminal=terminal, width=120, color_system=None)
    with screen(console, wide=False) as shown:
        shown.show(REPORT, NOON)
        shown.trouble("the hub does not answer")
        shown.trouble("the hub does not answer")
        shown.show(REPORT, NOON)
    return file.getvalue()


def test_a_log_gets_a_line_for_each_change_and_trouble_once() -> None:
    assert followed(terminal=False).splitlines() == [
        "12:00:00 stage us: us-1 is updating",
        "12:00:00 stage us is updating (0/1)",
        "12:00:00 ClusterStagedUpdateRun chat-2: updating (0/1)",
        "12:00:00 waits for stage us: us-1",
        "the hub does not answer",
    ]


def test_a_terminal_gets_the_whole_picture_each_time() -> None:
    seen = followed(terminal=True)
    assert seen.count("StageUpdatingStarted") >= 2
    assert "the hub does not answer" in seen
