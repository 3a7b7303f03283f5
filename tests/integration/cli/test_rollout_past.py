"""`modelfleet rollout history` and `undo` on a real API server, in both scopes."""

from collections.abc import Sequence

import pytest
import yaml

from fleet.api.core import Namespace
from fleet.api.objects import Metadata
from fleet.api.staged_update import RunState
from tests.integration.cli.rollouts import ENDED, GOING, PLANNED, STARTED, UPDATED, Rollouts

AVAILABLE = ("Available", "True", "AllWorkAreAvailable")


@pytest.fixture(params=["cluster", "namespace"])
async def past(rollouts: Rollouts, request: pytest.FixtureRequest) -> Rollouts:
    """Leave a placement with three snapshots, of which two clusters have the newest."""
    if request.param == "namespace":
        name = rollouts.name
        await rollouts.client.create(Namespace(metadata=Metadata(name=name)))
        rollouts = Rollouts(rollouts.client, rollouts.kubeconfig, name, namespace=name)
    await rollouts.placement()
    await rollouts.strategy()
    for index, value in enumerate(("--slow", "--fast", "--faster"), start=1):
        await rollouts.snapshot(index, value)
    for cluster in ("us", "eu"):
        await rollouts.binding(cluster, 3, AVAILABLE)
    return rollouts


async def brought(past: Rollouts, *conditions: Sequence[str]) -> str:
    run = await past.run(3)
    await past.far(run, PLANNED, *conditions, clusters={"us": [STARTED, UPDATED]})
    return run.name


async def test_history_says_who_has_each_snapshot_and_what_changed(past: Rollouts) -> None:
    run = await brought(past, ENDED)
    found = await past.document("history", past.name)
    assert [one["index"] for one in found["snapshots"]] == [1, 2, 3]
    third = found["snapshots"][2]
    assert third["clusters"] == ["eu", "us"]
    assert third["runs"] == [{"name": run, "state": "done"}]
    (change,) = third["changes"]
    assert (change["kind"], change["name"], change["change"]) == ("ConfigMap", "engine", "changed")
    args = {"path": "data.args", "before": "--fast", "after": "--faster"}
    assert change["fields"] == [args]
    table = await past.command("history", run)
    assert "ConfigMap chat/engine: data.args" in table.stdout


async def test_undo_makes_one_run_and_pauses_what_goes_on(past: Rollouts) -> None:
    old = await brought(past, GOING)
    shown = await past.command("undo", past.name, "--dry-run")
    assert list(await past.runs()) == [old]
    result = await past.command("undo", past.name)
    assert result.exit_code == 0, result.stderr
    runs = await past.runs()
    assert runs.pop(old).spec.state is RunState.STOP
    ((name, made),) = runs.items()
    assert f"{name} takes {past.name} from snapshot 3 to snapshot 2" in result.stdout
    assert (
        yaml.safe_load(shown.stdout)["spec"]
        == made.spec.dump()
        == {
            "placementName": past.name,
            "resourceSnapshotIndex": "2",
            "stagedRolloutStrategyName": past.name,
            "state": "Run",
        }
    )
    again = await past.command("undo", past.name)
    assert again.exit_code == 0
    assert f"{name} is to bring snapshot 2 already" in again.stdout
    assert set(await past.runs()) == {old, name}


async def test_the_run_that_undo_prints_can_be_applied(past: Rollouts) -> None:
    words = ("--to-index", "1", "--strategy", past.name, "--dry-run")
    shown = await past.command("undo", past.name, *words)
    made = await past.client.dynamic.apply(yaml.safe_load(shown.stdout))
    assert made["spec"]["resourceSnapshotIndex"] == "1"
    assert list(await past.runs()) == [made["metadata"]["name"]]


async def test_a_placement_that_rolls_out_by_itself_is_not_undone(rollouts: Rollouts) -> None:
    await rollouts.placement("RollingUpdate")
    result = await rollouts.command("undo", rollouts.name)
    assert result.exit_code == 1
    assert "put its objects back as they were" in result.stderr
    assert await rollouts.runs() == {}
