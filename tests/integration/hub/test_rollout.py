"""A rollout that a person steers by the command line, on a hub of its own process."""

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli.__main__ import build
from fleet.api import names
from fleet.api.staged_update import StagedUpdateRun, StagedUpdateStrategy
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer
from fleet.testing.waiting import until
from tests.integration.hub.conftest import HubProcess
from tests.integration.hub.fleet import Fleet


class Person(Fleet):
    """Somebody who changes what is placed, and says when it goes on."""

    kubeconfig: Path

    async def rollout(self, *words: str) -> Result:
        line = ["rollout", *words, "-n", self.namespace, "--kubeconfig", str(self.kubeconfig)]
        return await asyncio.to_thread(CliRunner().invoke, build(line), line)

    async def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            (await self.rollout("status", "config", "-o", "json")).stdout
        )
        return found

    async def begin(self, name: str) -> None:
        spec = {"placementName": "config", "stagedRolloutStrategyName": "waves", "state": "Run"}
        body = {"metadata": {"name": name, "namespace": self.namespace}, "spec": spec}
        await self.client.create(StagedUpdateRun.model_validate(body))

    async def is_at(self, run: str, state: str) -> bool:
        found = await self.status()
        return (found["name"], found["state"]) == (run, state)

    async def has(self, value: str) -> bool:
        return await self.data_in(self.cluster) == {"engine": {"args": value}}


@pytest.fixture
async def person(
    client: ApiClient,
    server: ApiServer,
    hub: HubProcess,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> Person:
    del hub
    name = names.digest(request.node.name)
    made = Person(client, f"team-{name}", f"us-{name}")
    made.kubeconfig = tmp_path / "admin.yaml"
    made.kubeconfig.write_text(yaml.safe_dump(server.kubeconfig()), encoding="utf-8")
    await made.namespace_exists()
    await made.join()
    return made


async def test_a_run_goes_on_by_a_person_s_word_and_is_taken_back(person: Person) -> None:
    stage = {"name": "all", "labelSelector": {}, "afterStageTasks": [{"type": "Approval"}]}
    metadata = {"name": "waves", "namespace": person.namespace}
    body = {"metadata": metadata, "spec": {"stages": [stage]}}
    await person.client.create(StagedUpdateStrategy.model_validate(body))
    await person.config_map("engine", args="--slow")
    await person.place(clusters=[person.cluster], strategy="External")
    for run, value in (("first", "--slow"), ("second", "--fast")):
        await person.config_map("engine", args=value)
        await person.begin(run)
        await until(partial(person.has, value))
        await person.apply_in(person.cluster)
        await until(partial(person.is_at, run, "waiting"))
        waiting = await person.rollout("status", "config")
        assert f"modelfleet rollout approve {run} -n {person.namespace}" in waiting.stdout
        approved = await person.rollout("approve", "config")
        assert approved.exit_code == 0, approved.stderr
        watched = await person.rollout("watch", "config", "--timeout", "60")
        assert (watched.exit_code, f"{run}: done (1/1)" in watched.stdout) == (0, True)
    undone = await person.rollout("undo", "config")
    assert "from snapshot 1 to snapshot 0" in undone.stdout, undone.stderr
    await until(partial(person.has, "--slow"))
