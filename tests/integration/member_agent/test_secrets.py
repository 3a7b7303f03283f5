"""What is secret stays so: in logs, statuses, events and metrics, whatever goes wrong with it."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from fleet.api.core import Event
from fleet.api.keys import Key
from fleet.api.names import digest
from fleet.api.objects import Metadata
from fleet.api.placement import ApplyStrategy
from fleet.api.work import Work, Workload, WorkSpec
from fleet.kube.client import ApiClient
from fleet.testing.waiting import until
from tests.integration.member_agent.conftest import NAMESPACE, AgentProcess

KEPT = "sk-correct-horse-battery"
ENCODED = base64.b64encode(KEPT.encode()).decode()
BROKEN: Mapping[str, Mapping[str, Any]] = {
    "no-map": {"stringData": KEPT},
    "no-base64": {"data": {"key": f"{KEPT}!"}},
    "no-text": {"data": {"key": {KEPT: KEPT}}},
    "wrong-type": {"type": "kubernetes.io/tls", "data": {"key": ENCODED}},
    "bad-key": {"data": {"a key": ENCODED}},
    "good": {"data": {"key": ENCODED}},
}


def secret(name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, **content}


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


async def work_with(
    client: ApiClient, name: str, manifest: Mapping[str, Any], **strategy: Any
) -> Work:
    metadata = Metadata(name=name, namespace=NAMESPACE)
    workload = Workload(manifests=(dict(manifest),))
    spec = WorkSpec(workload=workload, apply_strategy=ApplyStrategy(**strategy))
    return await client.apply(Work(metadata=metadata, spec=spec), force=True)


async def test_secrets_that_fail_to_apply_are_told_of_and_not_told(
    agent: AgentProcess,
    environ: Mapping[str, str],
    client: ApiClient,
    request: pytest.FixtureRequest,
) -> None:
    await agent.start()
    own = digest(request.node.name)
    works = [
        await work_with(client, f"{own}-{name}", secret(f"{own}-{name}", content))
        for name, content in BROKEN.items()
    ]

    async def all_said() -> bool:
        found = [await client.get(Work, work.key) for work in works]
        return all(work and work.status.conditions for work in found)

    await until(all_said)
    said = [await client.get(Work, work.key) for work in works]
    statuses = json.dumps([work.dump()["status"] for work in said if work])
    assert statuses.count('"SomeManifestsAreNotApplied"') == len(BROKEN) - 1
    events = json.dumps([event.dump() for event in (await client.list(Event)).objects()])
    async with httpx.AsyncClient(trust_env=False) as http:
        page = (await http.get(f"http://{environ['MEMBER_AGENT_HEALTH_LISTEN']}/metrics")).text
    token = _read(environ["MEMBER_AGENT_HUB_TOKEN_FILE"])
    for where in (statuses, events, page, agent.log.read_text(encoding="utf-8")):
        for kept in (KEPT, ENCODED, token):
            assert kept not in where


async def test_of_a_secret_that_somebody_changed_the_field_is_told_and_no_value(
    agent: AgentProcess, client: ApiClient, request: pytest.FixtureRequest
) -> None:
    await agent.start()
    name, changed = digest(request.node.name), base64.b64encode(b"sk-changed-by-hand").decode()
    manifest = secret(name, {"stringData": {"key": KEPT}})
    made = await work_with(client, name, manifest, when_to_apply="IfNotDrifted")

    async def said(reason: str) -> str:
        work = await client.get(Work, made.key)
        manifests = work.status.manifest_conditions if work else ()
        found = [c for item in manifests for c in item.conditions if c.reason == reason]
        return json.dumps(work.dump()["status"]) if work and found else ""

    await until(lambda: said("Applied"))
    secrets = await client.dynamic.resource_for("v1", "Secret")
    key = Key("default", name)
    await client.dynamic.merge_patch(secrets, key, {"data": {"key": changed}})
    await until(lambda: said("FoundDrifts"))
    status = await said("FoundDrifts")
    assert "changed on the member: /data/key" in status
    events = json.dumps([event.dump() for event in (await client.list(Event)).objects()])
    for where in (status, events, agent.log.read_text(encoding="utf-8")):
        for value in (KEPT, ENCODED, changed, "sk-changed-by-hand"):
            assert value not in where
