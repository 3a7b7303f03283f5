"""To which snapshot a placement goes back, and by which run: a table."""

from dataclasses import replace

import pytest

from cli.rollout.history import Revision
from cli.rollout.subject import RolloutError
from cli.rollout.undoing import Known, Wish, plan
from fleet.api.placement import ClusterResourcePlacement
from fleet.api.scope import CLUSTER
from fleet.api.staged_update import ClusterStagedUpdateRun, RunState
from tests.unit.cli.rollout.bodies import GOING, PLANNED, Body, condition, placement, run

DONE = condition("Succeeded", "True", "UpdateRunSucceeded")
FAILED = condition("Succeeded", "False", "UpdateRunFailed")


def revision(index: int, *clusters: str) -> Revision:
    return Revision(index=index, made=None, newest=False, clusters=clusters, runs=(), changes=())


def made(index: int | str, *conditions: Body, state: str = "Run") -> ClusterStagedUpdateRun:
    body = run(PLANNED, *conditions, state=state, name=f"chat-{index}")
    body["spec"]["resourceSnapshotIndex"] = str(index)
    body["status"]["resourceSnapshotIndexUsed"] = str(index)
    body["metadata"]["uid"] = f"uid-{index}"
    return ClusterStagedUpdateRun.model_validate(body)


def known(*revisions: Revision, runs: tuple[ClusterStagedUpdateRun, ...] = ()) -> Known:
    return Known(
        kinds=CLUSTER,
        placement=ClusterResourcePlacement.model_validate(placement(strategy="External")),
        revisions=revisions,
        runs=runs,
        strategies=["regions", "others"],
    )


ALL_AT_3 = (revision(1), revision(2), revision(3, "us", "eu"))
HALF_AT_3 = (revision(1), revision(2, "eu"), revision(3, "us"))
ALL_AT_2 = (revision(1), revision(2, "us", "eu"), revision(3))
ALL_AT_1 = (revision(0), revision(1, "us", "eu"), revision(3))


@pytest.mark.parametrize(
    ("revisions", "runs", "wish", "to", "paused"),
    [
        (ALL_AT_3, (made(3, DONE),), Wish(), "2", []),
        (HALF_AT_3, (made(3, FAILED),), Wish(), "2", []),
        (HALF_AT_3, (made(3, GOING),), Wish(), "2", ["chat-3"]),
        (ALL_AT_2, (made(3, GOING),), Wish(), "2", ["chat-3"]),
        (ALL_AT_2, (made(3, state="Initialize"),), Wish(), "2", []),
        (ALL_AT_2, (made("", GOING),), Wish(), "2", ["chat-"]),
        (ALL_AT_2, (made(3, DONE), made(2, DONE)), Wish(), "1", []),
        (ALL_AT_1, (made(1, DONE),), Wish(), "0", []),
        (ALL_AT_3, (made(3, DONE),), Wish(to_index=1), "1", []),
        (ALL_AT_2, (made(2, DONE),), Wish(to_index=3), "3", []),
        (ALL_AT_3, (), Wish(strategy="regions"), "2", []),
    ],
    ids=[
        "after a run",
        "after one that failed halfway",
        "while one goes on",
        "while one has not reached a cluster",
        "before one was started",
        "before the hub has looked at one",
        "after an undo",
        "over what is not kept any more",
        "far back",
        "forward",
        "without a run before",
    ],
)
def test_a_run_brings_the_snapshot_before_the_one_in_use_or_the_one_named(
    revisions: tuple[Revision, ...],
    runs: tuple[ClusterStagedUpdateRun, ...],
    wish: Wish,
    to: str,
    paused: list[str],
) -> None:
    found = plan(known(*revisions, runs=runs), wish)
    spec = found.run.spec
    assert not found.made
    assert (spec.placement_name, spec.resource_snapshot_index, spec.state) == (
        "chat",
        to,
        RunState.RUN,
    )
    assert spec.staged_rollout_strategy_name == "regions"
    assert [run.name for run in found.pause] == paused
    assert found.run.metadata.dump() == {"name": found.run.name}


def test_said_twice_it_is_the_same_run() -> None:
    before = known(*ALL_AT_3, runs=(made(3, DONE),))
    assert plan(before, Wish()).run == plan(before, Wish()).run
    for state, said in (("Run", "rollout watch chat-2"), ("Stop", "rollout resume chat-2")):
        after = replace(before, runs=(made(3, DONE), made(2, GOING, state=state)))
        again = plan(after, Wish())
        assert (again.made, again.run.name, again.pause) == (True, "chat-2", ())
        assert said in again.said


def rolling() -> Known:
    itself = ClusterResourcePlacement.model_validate(placement())
    return replace(known(*ALL_AT_3), placement=itself)


@pytest.mark.parametrize(
    ("there", "wish", "said"),
    [
        (rolling(), Wish(), "rolls out by itself .*set spec.strategy.type to External"),
        (known(), Wish(), "has no snapshot yet"),
        (known(revision(1), revision(2)), Wish(), "no cluster has anything of chat"),
        (known(revision(3, "us")), Wish(), "no snapshot before 3.*revisionHistoryLimit keeps 10"),
        (known(*ALL_AT_3), Wish(to_index=7), "--to-index: there is no snapshot 7, but 1, 2, 3"),
        (known(*ALL_AT_3), Wish(), "--strategy: say which ClusterStagedUpdateStrategy: others, r"),
        (known(*ALL_AT_3), Wish(strategy="x"), "there is no ClusterStagedUpdateStrategy x, but: o"),
    ],
    ids=[
        "not of runs",
        "nothing",
        "not in use",
        "the first",
        "not kept",
        "two strategies",
        "no strategy",
    ],
)
def test_what_cannot_be_undone_says_why_and_the_way_out(
    there: Known, wish: Wish, said: str
) -> None:
    with pytest.raises(RolloutError, match=said):
        plan(there, wish)
