"""What is said of a run: a table of what a hub may have left in it."""

from typing import Any

import pytest

from cli.rollout.report import Report, State
from cli.rollout.runs import report
from fleet.api.staged_update import ClusterStagedUpdateRun, StagedUpdateRun
from tests.unit.cli.rollout.bodies import (
    APPROVED,
    ASKED,
    GOING,
    PLANNED,
    STAGE_DONE,
    STAGE_GOING,
    STARTED,
    UPDATED,
    Body,
    approval,
    cluster,
    condition,
    done,
    run,
    stage,
    stage_waiting,
    waiting,
)


def reported(body: Body) -> Report:
    return report(ClusterStagedUpdateRun.model_validate(body))


BUSY = stage("us", [*done("us-1"), cluster("us-2", STARTED), cluster("us-3")], STAGE_GOING)
NO_STAGES = condition("Initialized", "False", "UpdateRunInitializedFailed", "no such strategy")
FAILED = condition("Succeeded", "False", "UpdateRunFailed", "the policy changed")
ENDED = condition("Succeeded", "True", "UpdateRunSucceeded")
STUCK = condition("Progressing", "False", "UpdateRunStuck", "waits for us-2")
STOPPING = condition("Progressing", "Unknown", "UpdateRunStopping")
STOPPED = condition("Progressing", "False", "UpdateRunStopped")
RESUME = "`modelfleet rollout resume chat-2`"
UNDO = "`modelfleet rollout undo chat`"


@pytest.mark.parametrize(
    ("body", "state", "waits_for", "said_next"),
    [
        (run(), State.PENDING, "the hub, to look at it", "`modelfleet doctor`"),
        (run(PLANNED, state="Initialize"), State.READY, "somebody to start it", RESUME),
        (run(PLANNED), State.PENDING, "the hub, to look at it", ""),
        (run(NO_STAGES), State.FAILED, "", "make a new run"),
        (run(PLANNED, GOING, stages=[BUSY]), State.UPDATING, "stage us: us-2", ""),
        (run(PLANNED, STUCK, stages=[BUSY]), State.STUCK, "stage us: us-2", UNDO),
        (run(PLANNED, STOPPING, stages=[BUSY]), State.STOPPING, "stage us: us-2", ""),
        (run(PLANNED, STOPPED, state="Stop"), State.STOPPED, "somebody to resume it", RESUME),
        (run(PLANNED, STOPPED), State.PENDING, "the hub, to look at it", ""),
        (run(PLANNED, GOING, stages=[BUSY], state="Stop"), State.STOPPING, "stage us: us-2", ""),
        (run(PLANNED, FAILED, STUCK), State.FAILED, "", UNDO),
        (run(PLANNED, ENDED, GOING), State.DONE, "", ""),
    ],
    ids=[
        "not seen by the hub",
        "planned",
        "to begin",
        "not planned",
        "going on",
        "stuck",
        "stopping",
        "stopped",
        "resumed",
        "told to stop",
        "failed",
        "done",
    ],
)
def test_a_run_says_what_it_waits_for_and_what_to_do(
    body: Body, state: State, waits_for: str, said_next: str
) -> None:
    found = reported(body)
    assert found.whole.state is state
    assert found.waits_for == ((waits_for,) if waits_for else ())
    assert said_next in " ".join(found.next)
    assert bool(found.next) is bool(said_next)
    assert found.goes_on is (state not in {State.DONE, State.FAILED})


def states(found: Report) -> dict[str, Any]:
    """Give the state of each stage, and of what is in it."""
    return {
        stage.name: (str(stage.state), {step.name: str(step.state) for step in stage.steps})
        for stage in found.whole.steps
    }


def test_each_stage_says_how_far_its_tasks_and_clusters_are() -> None:
    skipped = condition("Succeeded", "True", "StageUpdatingSkippedNoClusters")
    broken = condition("Succeeded", "False", "ClusterUpdatingFailed")
    found = reported(
        run(
            PLANNED,
            GOING,
            stages=[
                stage("us", done("us-1"), STAGE_DONE, before=[approval("a", ASKED, APPROVED)]),
                stage("none", [], skipped),
                stage("eu", [cluster("eu-1", STARTED, broken), cluster("eu-2")], STAGE_GOING),
                stage("apac", [cluster("apac-1")], before=[approval("b")]),
            ],
            deletion=stage("kubernetes-fleet.io/deleteStage", [cluster("old")]),
        )
    )
    assert states(found) == {
        "us": ("done", {"approval a": "done", "us-1": "done"}),
        "none": ("skipped", {}),
        "eu": ("updating", {"eu-1": "failed", "eu-2": "pending"}),
        "apac": ("pending", {"approval b": "pending", "apac-1": "pending"}),
        "(deletion)": ("pending", {"old": "pending"}),
    }
    assert (found.whole.facts["done"], found.whole.facts["total"]) == (1, 5)


def test_an_approval_that_is_waited_for_is_named_with_the_command_that_gives_it() -> None:
    before = stage("us", [cluster("us-1")], stage_waiting(), before=[approval("u", ASKED)])
    body = run(PLANNED, waiting(), stages=[before], namespace="models")
    found = report(StagedUpdateRun.model_validate(body))
    assert found.waits_for == ("approval u before stage us",)
    assert found.next == (
        "`modelfleet rollout approve chat-2 -n models --stage us --before` lets it go on",
    )


def test_a_wait_says_until_when_once_the_stage_s_clusters_are_done() -> None:
    tasks = [{"type": "TimedWait", "waitTime": "10m"}, {"type": "Approval"}]
    strategy = {"stages": [{"name": "us", "afterStageTasks": tasks}]}
    wait = {"type": "TimedWait"}

    def found(*conditions: Body, clusters: list[Body], waited: Body = wait) -> Report:
        after = [waited, approval("a", ASKED)]
        of_stage = stage("us", clusters, *conditions, after=after)
        return reported(run(PLANNED, waiting(), stages=[of_stage], strategy=strategy))

    assert found(stage_waiting(), clusters=done("us-1")).waits_for == (
        "wait of 10m after stage us, until 2026-05-01T12:06:00+00:00",
        "approval a after stage us",
    )
    before = found(stage_waiting(), clusters=[cluster("us-1")])
    assert states(before)["us"][1]["wait of 10m"] == "pending"
    over = condition("WaitTimeElapsed", "True", "AfterStageTaskWaitTimeElapsed")
    after = found(stage_waiting(), clusters=done("us-1"), waited=wait | {"conditions": [over]})
    assert after.waits_for == ("approval a after stage us",)


def test_of_many_clusters_that_are_updated_a_few_are_named() -> None:
    busy = stage("us", [cluster(f"us-{i}", STARTED) for i in range(8)], STAGE_GOING)
    found = reported(run(PLANNED, GOING, stages=[busy]))
    assert found.waits_for == ("stage us: us-0, us-1, us-2, us-3, us-4 and 3 more",)


def test_programs_get_all_of_it_with_absolute_times() -> None:
    body = run(PLANNED, GOING, stages=[stage("us", [cluster("us-1", STARTED, UPDATED)])])
    document = reported(body).document()
    (only,) = document.pop("stages")
    (updated,) = only.pop("clusters")
    assert document == {
        "name": "chat-2",
        "state": "updating",
        "reason": "UpdateRunProgressing",
        "message": "",
        "since": "2026-05-01T11:30:00+00:00",
        "kind": "ClusterStagedUpdateRun",
        "namespace": "",
        "placement": "chat",
        "strategy": "regions",
        "resourceSnapshotIndex": "3",
        "wanted": "Run",
        "done": 1,
        "total": 1,
        "ended": False,
        "waitsFor": [],
        "next": [],
    }
    assert (updated["name"], updated["state"]) == ("us-1", "done")
    assert updated["since"] == "2026-05-01T11:58:00+00:00"
