"""What strategies and runs say of themselves."""

from datetime import timedelta
from typing import Any

import pytest

from fleet.api.durations import duration
from fleet.api.staged_update import (
    ClusterStagedUpdateRun,
    RunState,
    StagedUpdateStrategy,
    StageTaskType,
    UpdateStrategySpec,
)

RUN = {"placementName": "chat", "stagedRolloutStrategyName": "regions"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("1h30m", 5400), ("1.5h", 5400), ("0.5s0.5s", 1), ("0s", 0), ("0", 0), ("", 0)],
)
def test_a_length_of_time_is_read_as_it_is_written(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


def spec(**fields: Any) -> UpdateStrategySpec:
    return UpdateStrategySpec.model_validate({"stages": [{"name": "eu"}], **fields})


def test_a_strategy_that_says_no_more_is_kubefleets() -> None:
    plain = spec()
    assert not plain.follows
    assert plain.stuck_after == timedelta(minutes=5)
    assert plain.stages[0].max_concurrency == 1
    assert plain.stages[0].label_selector is None


def test_a_strategy_may_follow_its_clusters_and_be_more_patient() -> None:
    own = spec(whenClustersChange="Follow", stuckThreshold="1h")
    assert own.follows
    assert own.stuck_after == timedelta(hours=1)
    assert not spec(whenClustersChange="Abort").follows


def test_a_task_says_how_long_it_waits() -> None:
    tasks = [{"type": "Approval"}, {"type": "TimedWait", "waitTime": "10m"}]
    stage = spec(stages=[{"name": "eu", "afterStageTasks": tasks}]).stages[0]
    assert [task.type for task in stage.after_stage_tasks] == list(StageTaskType)[::-1]
    assert [task.wait for task in stage.after_stage_tasks] == [timedelta(), timedelta(minutes=10)]


def test_a_run_is_planned_before_it_goes() -> None:
    run = ClusterStagedUpdateRun.model_validate({"metadata": {"name": "run"}, "spec": RUN})
    assert run.spec.state is RunState.INITIALIZE
    assert run.spec.resource_snapshot_index == ""
    assert run.manifest()["spec"] == RUN


def test_the_plural_of_a_strategy_is_english() -> None:
    assert StagedUpdateStrategy.crd() == "stagedupdatestrategies.placement.kubernetes-fleet.io"
