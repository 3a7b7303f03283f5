"""What a log says of a rollout that is followed: from one look to the next."""

from cli.rollout.lines import changes
from cli.rollout.report import Report
from cli.rollout.runs import report
from fleet.api.staged_update import ClusterStagedUpdateRun
from tests.unit.cli.rollout.bodies import (
    GOING,
    PLANNED,
    STAGE_DONE,
    STAGE_GOING,
    STARTED,
    UPDATED,
    Body,
    cluster,
    condition,
    run,
    stage,
)


def seen(*conditions: Body, stages: list[Body]) -> Report:
    body = run(PLANNED, *conditions, stages=stages)
    return report(ClusterStagedUpdateRun.model_validate(body))


UPDATING = seen(
    GOING, stages=[stage("us", [cluster("us-1", STARTED), cluster("us-2")], STAGE_GOING)]
)


def test_at_first_all_is_told_that_has_begun() -> None:
    assert list(changes(None, UPDATING)) == [
        "stage us: us-1 is updating",
        "stage us is updating (0/2)",
        "ClusterStagedUpdateRun chat-2: updating (0/2)",
        "waits for stage us: us-1",
    ]


def test_then_only_what_changed() -> None:
    assert list(changes(UPDATING, UPDATING)) == []
    clusters = [cluster("us-1", STARTED, UPDATED), cluster("us-2", STARTED)]
    later = seen(GOING, stages=[stage("us", clusters, STAGE_GOING)])
    assert list(changes(UPDATING, later)) == [
        "stage us: us-1 is done",
        "stage us: us-2 is updating",
        "waits for stage us: us-2",
    ]


def test_an_end_that_is_none_says_why() -> None:
    broken = condition("Succeeded", "False", "ClusterUpdatingFailed", "no such image")
    failed = condition("Succeeded", "False", "UpdateRunFailed", "us-1 failed")
    clusters = [cluster("us-1", STARTED, broken), cluster("us-2")]
    assert list(changes(UPDATING, seen(failed, stages=[stage("us", clusters, STAGE_DONE)]))) == [
        "stage us: us-1 is failed: no such image",
        "stage us is done (0/2)",
        "ClusterStagedUpdateRun chat-2: failed (0/2): us-1 failed",
    ]
