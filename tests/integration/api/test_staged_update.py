"""What the API server fills into staged updates, and what it leaves out."""

import pytest

from tests.integration.api.judge import TRIED, Judge
from tests.integration.api.rows import written
from tests.integration.api.tables.staged_update import (
    ALPHA_RUN,
    APPROVE,
    RUN,
    before,
    run,
    stage,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_strategy_gets_one_cluster_at_a_time_and_nothing_of_ours(judge: Judge) -> None:
    made = await judge.made(written("StagedUpdateStrategy", "v1", stage()), TRIED)
    assert made["spec"] == {"stages": [{"name": "eu", "maxConcurrency": 1}]}


async def test_a_run_waits_to_be_run(judge: Judge) -> None:
    made = await judge.made(run(), TRIED)
    assert made["spec"] == {**RUN, "state": "Initialize"}


async def test_the_oldest_version_leaves_out_what_it_never_had(judge: Judge) -> None:
    spec = before(APPROVE) | {"whenClustersChange": "Follow", "stuckThreshold": "1m"}
    made = await judge.made(written("ClusterStagedUpdateStrategy", "v1alpha1", spec), TRIED)
    assert made["spec"] == {"stages": [{"name": "eu"}]}
    made = await judge.made(run("v1alpha1", state="Run", **ALPHA_RUN), TRIED)
    assert made["spec"] == ALPHA_RUN
