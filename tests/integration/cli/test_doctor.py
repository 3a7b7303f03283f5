"""`modelfleet doctor` against a real API server, with and without what a fleet needs."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import build
from cli.doctor.hub import LEASE, NEEDED
from cli.members import member_cluster
from fleet.api.core import Lease, Namespace
from fleet.api.objects import Metadata
from fleet.kube.client import ApiClient
from fleet.runtime import clock
from fleet.testing.apiserver import NOBODY, ApiServer, free_port
from tests.integration.cli.conftest import written
from tests.integration.cli.scripted import Reply, scripted

Checks = Mapping[str, Mapping[str, str]]
MODELS = json.dumps({"object": "list", "data": [{"id": "phi"}, {"id": "qwen"}]}).encode()


async def doctor(kubeconfig: Path, *words: str) -> Result:
    line = ["doctor", "--kubeconfig", str(kubeconfig), *words]
    return await asyncio.to_thread(CliRunner().invoke, build(line), line)


async def checks(kubeconfig: Path, *words: str) -> Checks:
    result = await doctor(kubeconfig, "-o", "json", *words)
    found: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (0 if found["ok"] else 1)
    return {check["check"]: check for check in found["checks"]}


async def lead(client: ApiClient, seconds_ago: float, namespace: str = LEASE.namespace) -> None:
    """Leave a Lease as a hub would that renewed it so long ago."""
    await client.apply(Namespace(metadata=Metadata(name=namespace)), force=True)
    renewed = clock.now() - timedelta(seconds=seconds_ago)
    lease = {
        "apiVersion": Lease.API,
        "kind": Lease.kind(),
        "metadata": {"name": LEASE.name, "namespace": namespace},
        "spec": {
            "holderIdentity": "hub-1",
            "leaseDurationSeconds": 9,
            "renewTime": f"{renewed:%Y-%m-%dT%H:%M:%S}.000000Z",
        },
    }
    await client.dynamic.apply(lease, force=True)


async def test_a_hub_is_looked_at_with_all_that_belongs_to_it(
    client: ApiClient, kubeconfig: Path
) -> None:
    await client.apply(member_cluster("doctored", {}, 1), force=True)
    await lead(client, seconds_ago=-3600)
    found = await checks(kubeconfig)
    assert found["hub"]["state"] == "ok"
    assert found["hub kinds"] == {
        "check": "hub kinds",
        "state": "ok",
        "message": "all there, of this version",
        "wayOut": "",
    }
    assert found["your rights"]["state"] == "ok"
    assert found["hub program"]["message"] == "hub-1 leads"
    assert found["gateway"]["state"] == "skipped"
    assert found["member doctored"]["state"] == "failed"
    assert "modelfleet join doctored" in found["member doctored"]["wayOut"]
    said = await doctor(kubeconfig)
    assert said.exit_code == 1
    assert "WAY OUT" in said.stdout


async def test_a_leader_that_is_gone_is_told_from_one_whose_clock_is_late(
    client: ApiClient, kubeconfig: Path
) -> None:
    await lead(client, seconds_ago=3600)
    looking = asyncio.create_task(checks(kubeconfig))
    assert (await looking)["hub program"]["state"] == "failed"
    looking = asyncio.create_task(checks(kubeconfig))
    late = 3599.0
    while not looking.done():
        await lead(client, seconds_ago=late)
        late -= 1
        await asyncio.wait({looking}, timeout=0.5)
    assert (await looking)["hub program"]["message"] == "hub-1 leads"


async def test_a_hub_is_found_in_another_namespace(client: ApiClient, kubeconfig: Path) -> None:
    usual = await client.get(Lease, LEASE)
    if usual:
        await client.delete(usual)
    await lead(client, -60, "another")
    assert (await checks(kubeconfig))["hub program"]["message"] == "hub-1 leads"


async def test_a_user_whose_clock_is_wrong_is_told_what_the_hubs_clock_says(
    client: ApiClient, kubeconfig: Path
) -> None:
    await lead(client, seconds_ago=-200)
    words = ("doctor", "--kubeconfig", str(kubeconfig), "-o", "json")
    looking = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *words),
        env={**os.environ, "MODELFLEET_CLOCK_OFFSET_SECONDS": "310"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, _ = await looking.communicate()
    found = {check["check"]: check for check in json.loads(said)["checks"]}
    assert found["hub program"]["message"] == "hub-1 leads"


async def test_what_a_user_may_not_see_is_left_open(server: ApiServer, tmp_path: Path) -> None:
    trust = {"server": server.url, "certificate-authority": server.ca_file}
    found = await checks(written(tmp_path, trust, NOBODY))
    denied = ", ".join(f"{verb} {resource}" for verb, _, resource in NEEDED)
    assert found["your rights"]["message"] == f"you may not {denied}"
    assert found["hub kinds"]["state"] == "skipped"
    assert "members" not in found


async def test_a_hub_that_does_not_answer_is_one_line_with_the_way_out(tmp_path: Path) -> None:
    nowhere = written(tmp_path, {"server": f"https://127.0.0.1:{free_port()}"})
    found = await checks(nowhere)
    assert found["hub"]["state"] == "failed"
    assert str(nowhere) in found["hub"]["message"]
    assert "--kubeconfig" in found["hub"]["wayOut"]


@pytest.mark.parametrize(
    ("replies", "state", "message"),
    [
        ([Reply([b"ok"]), Reply([MODELS])], "ok", "serves 2 models"),
        ([Reply([b"no routes"], status=503)], "failed", "is not ready: /readyz says 503"),
        ([Reply([b"ok"]), Reply([b"{}"], status=401)], "failed", "does not take the key"),
        ([Reply([b"ok"]), Reply([b"hello"])], "failed", "is no list of models"),
    ],
    ids=["well", "not ready", "another key", "something else"],
)
async def test_a_gateway_is_asked_with_the_key(
    kubeconfig: Path, replies: list[Reply], state: str, message: str
) -> None:
    with scripted(*replies) as gateway:
        found = await checks(kubeconfig, "--url", gateway.url, "--key", "mf-key")
        assert found["gateway"]["state"] == state
        assert message in found["gateway"]["message"]
        assert gateway.heard[-1]["headers"]["authorization"] == "Bearer mf-key"


async def test_a_gateway_that_is_not_there_is_said(kubeconfig: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/v1"
    found = await checks(kubeconfig, "--url", url)
    assert found["gateway"]["state"] == "failed"
    assert found["gateway"]["message"].startswith(url)
