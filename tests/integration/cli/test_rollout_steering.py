"""`modelfleet rollout approve`, `pause`, `resume`, and `modelfleet approve`, on a real server."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import build
from fleet.api.conditions import find
from fleet.api.staged_update import Approval, RunState, UpdateRun
from fleet.testing.apiserver import NOBODY, ApiServer
from tests.integration.cli.conftest import written
from tests.integration.cli.rollouts import ENDED, PLANNED, Rollouts


async def state(rollouts: Rollouts, run: UpdateRun) -> RunState:
    found = await rollouts.client.get(type(run), run.key)
    assert found
    return found.spec.state


async def is_approved(rollouts: Rollouts, request: Approval) -> bool:
    found = await rollouts.client.get(type(request), request.key)
    assert found
    said = find(found.status.conditions, "Approved")
    return said is not None and said.true and said.observed_generation == 1


async def test_a_run_is_started_paused_and_resumed(rollouts: Rollouts) -> None:
    await rollouts.placement()
    run = await rollouts.run(1, state="Initialize")
    early = await rollouts.command("pause", rollouts.name)
    assert (early.exit_code, await state(rollouts, run)) == (1, RunState.INITIALIZE)
    for verb, said, wanted in (
        ("resume", "is started", RunState.RUN),
        ("resume", "runs already", RunState.RUN),
        ("pause", "is paused:", RunState.STOP),
        ("pause", "is paused already", RunState.STOP),
        ("resume", "goes on", RunState.RUN),
    ):
        result = await rollouts.command(verb, rollouts.name)
        assert (result.exit_code, said in result.stdout) == (0, True)
        assert await state(rollouts, run) is wanted
    await rollouts.far(run, PLANNED, ENDED)
    late = await rollouts.command("pause", rollouts.name)
    assert (late.exit_code, await state(rollouts, run)) == (1, RunState.RUN)


async def test_a_placement_without_a_run_has_nothing_to_steer(rollouts: Rollouts) -> None:
    await rollouts.placement()
    for verb in ("approve", "pause", "resume"):
        result = await rollouts.command(verb, rollouts.name)
        assert result.exit_code == 1
        assert "has no ClusterStagedUpdateRun" in result.stderr


async def test_the_request_that_waits_is_approved_once(rollouts: Rollouts) -> None:
    await rollouts.placement()
    run = await rollouts.run(1)
    nothing = await rollouts.command("approve", rollouts.name)
    assert (nothing.exit_code, "no approval is waited for" in nothing.stderr) == (1, True)
    request = await rollouts.request(run)
    for said in ("is approved\n", "is approved already\n"):
        result = await rollouts.command("approve", rollouts.name, "--after")
        assert result.stdout == f"ClusterApprovalRequest {request.name} {said}"
        assert await is_approved(rollouts, request)


async def test_of_several_requests_one_is_to_be_named(rollouts: Rollouts) -> None:
    run = await rollouts.run(1)
    before, after = await rollouts.request(run, "before"), await rollouts.request(run, "after")
    several = await rollouts.command("approve", run.name, "--stage", "all")
    assert several.exit_code == 1
    assert "--stage all --after; --stage all --before" in several.stderr
    result = await rollouts.command("approve", run.name, "--stage", "all", "--before")
    assert result.exit_code == 0
    assert await is_approved(rollouts, before)
    assert not await is_approved(rollouts, after)


async def test_who_may_not_approve_is_told_so(
    rollouts: Rollouts, server: ApiServer, tmp_path: Path
) -> None:
    request = await rollouts.request(await rollouts.run(1))
    trust = {"server": server.url, "certificate-authority": server.ca_file}
    nobody = written(tmp_path, trust, NOBODY)
    result = await kubefleet("careq", "--name", request.name, kubeconfig=nobody)
    assert result.exit_code == 1
    assert "forbidden" in result.stderr
    assert not await is_approved(rollouts, request)


async def kubefleet(*words: str, kubeconfig: Path) -> Result:
    line = ["approve", *words, "--kubeconfig", str(kubeconfig)]
    return await asyncio.to_thread(CliRunner().invoke, build(line), line)


@pytest.mark.parametrize("kind", ["ClusterApprovalRequest", "careq"])
@pytest.mark.parametrize("flag", ["--hub-cluster-context", "--hubClusterContext"])
async def test_a_request_is_approved_as_kubefleet_s_plugin_does(
    rollouts: Rollouts, kind: str, flag: str
) -> None:
    request = await rollouts.request(await rollouts.run(1))
    words = (kind, flag, "hub", "--name", request.name, "--timeout", "1m30s")
    result = await kubefleet(*words, kubeconfig=rollouts.kubeconfig)
    assert (result.exit_code, result.stderr) == (0, "")
    assert await is_approved(rollouts, request)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("careq", "--name", "none"), "there is no ClusterApprovalRequest none on the hub"),
        (("careq", "--name", "x", "-n", "models"), "are in no namespace"),
        (("areq", "--name", "x"), "which must be named"),
        (("areq", "--name", "x", "-n", "models"), "there is no ApprovalRequest models/x"),
        (("careq", "--name", "x", "--timeout", "1"), "no length of time"),
    ],
)
async def test_what_kubefleet_s_plugin_refuses_is_refused_with_the_way_out(
    rollouts: Rollouts, words: tuple[str, ...], said: str
) -> None:
    result = await kubefleet(*words, kubeconfig=rollouts.kubeconfig)
    assert result.exit_code == 1
    assert said in result.stderr
