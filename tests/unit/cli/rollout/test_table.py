"""What a person sees of a rollout: goldens."""

from io import StringIO

from rich.console import Console

from cli.rollout import placements, runs
from cli.rollout.report import Report
from cli.rollout.table import picture
from fleet.api.binding import ClusterResourceBinding
from fleet.api.placement import ClusterResourcePlacement
from fleet.api.staged_update import ClusterStagedUpdateRun
from tests.unit.cli.rollout.bodies import (
    APPROVED,
    ASKED,
    NOON,
    PLANNED,
    STAGE_DONE,
    UPDATED,
    Body,
    approval,
    binding,
    cluster,
    condition,
    done,
    placement,
    run,
    stage,
    stage_waiting,
    waiting,
)


def drawn(report: Report, *, wide: bool = False, height: int | None = None) -> list[str]:
    console = Console(file=StringIO(), width=150, highlight=False)
    console.print(picture(report, NOON, wide=wide, height=height))
    assert isinstance(console.file, StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def run_report(body: Body) -> Report:
    return runs.report(ClusterStagedUpdateRun.model_validate(body))


HALF = run(
    PLANNED,
    waiting(),
    stages=[
        stage(
            "us", done("us-1", "us-2"), STAGE_DONE, after=[approval("chat-2-a", ASKED, APPROVED)]
        ),
        stage("eu", [cluster("eu-1")], stage_waiting(), before=[approval("chat-2-b", ASKED)]),
    ],
)


def test_a_run_is_a_table_of_its_stages_with_what_is_in_them() -> None:
    heading, *others = drawn(run_report(HALF))
    assert heading.startswith("ClusterStagedUpdateRun chat-2: waiting for 4m, placement chat, ")
    assert heading.endswith(", snapshot 3, strategy regions")
    assert others == [
        "STAGE                STATE    SINCE  CLUSTERS  REASON",
        "us                   done     8m     2/2       StageUpdatingSucceeded",
        "  us-1               done     2m               ClusterUpdatingSucceeded",
        "  us-2               done     2m               ClusterUpdatingSucceeded",
        "  approval chat-2-a  done     60s              StageTaskApprovalRequestApproved",
        "eu                   waiting  4m     0/1       StageUpdatingWaiting",
        "  approval chat-2-b  waiting  4m               StageTaskApprovalRequestCreated",
        "  eu-1               pending  -                -",
        "Waits for: approval chat-2-b before stage eu",
        "Next: `modelfleet rollout approve chat-2 --stage eu --before` lets it go on",
    ]


def test_where_there_is_little_room_what_is_settled_is_left_out() -> None:
    assert [line.split()[0] for line in drawn(run_report(HALF), height=8)[1:-2]] == [
        "STAGE",
        "us",
        "eu",
        "approval",
    ]


def test_what_failed_says_why_and_wide_says_all_messages() -> None:
    broken = condition("Succeeded", "False", "ClusterUpdatingFailed", "[no] such image")
    failed = condition("Succeeded", "False", "UpdateRunFailed", "us-1 failed")
    told = {**UPDATED, "message": "updated"}
    clusters = [cluster("us-1", broken), cluster("us-2", told)]
    report = run_report(run(PLANNED, failed, stages=[stage("us", clusters)]))
    below = drawn(report)[5:]
    assert below[:2] == ["Why: us-1 failed", "Why us-1: [no] such image"]
    assert drawn(report, wide=True)[4].endswith("ClusterUpdatingSucceeded  updated")


def test_a_placement_that_rolls_out_by_itself_is_a_table_of_its_clusters() -> None:
    scheduled = condition("ClusterResourcePlacementScheduled", "True", "Fulfilled")
    applied = condition("Applied", "True", "AllWorkHaveBeenApplied")
    available = condition("Available", "True", "AllWorkAreAvailable", minutes=5)
    bindings = [binding("us", 3, applied, available), binding("eu", 2, applied)]
    report = placements.report(
        ClusterResourcePlacement.model_validate(placement(scheduled)),
        map(ClusterResourceBinding.model_validate, bindings),
    )
    assert drawn(report) == [
        "ClusterResourcePlacement chat: updating, snapshot 3, strategy RollingUpdate",
        "CLUSTER  STATE    SINCE  SNAPSHOT  APPLIED  AVAILABLE  REASON",
        "eu       pending  -      2         True                -",
        "us       done     5m     3         True     True       AllWorkAreAvailable",
        "Waits for: eu",
    ]
