"""A Work on a real API server: what the member gets of it, and what the hub hears."""

from typing import Any

import pytest

from fleet.api.conditions import find
from fleet.api.core import ConfigMap
from fleet.api.names import digest
from fleet.api.objects import Key, Metadata
from fleet.api.work import AppliedWork, Work, Workload, WorkSpec
from fleet.kube.client import ApiClient
from fleet.testing.waiting import until
from tests.integration.member_agent.conftest import NAMESPACE, AgentProcess


class Placed:
    """A Work with ConfigMaps, as the hub writes it."""

    def __init__(self, client: ApiClient, name: str) -> None:
        self.client, self.key = client, Key(NAMESPACE, name)

    async def write(self, **data: dict[str, str]) -> None:
        manifests = tuple(self._config(name, content) for name, content in data.items())
        metadata = Metadata(name=self.key.name, namespace=NAMESPACE)
        work = Work(metadata=metadata, spec=WorkSpec(workload=Workload(manifests=manifests)))
        await self.client.apply(work, force=True)

    def _config(self, name: str, data: dict[str, str]) -> dict[str, Any]:
        metadata = {"name": self._named(name), "namespace": "default"}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}

    def _named(self, name: str) -> str:
        return f"{self.key.name}-{name}"

    async def work(self) -> Work | None:
        return await self.client.get(Work, self.key)

    async def record(self) -> AppliedWork | None:
        return await self.client.get(AppliedWork, Key("", self.key.name))

    async def config(self, name: str) -> ConfigMap | None:
        return await self.client.get(ConfigMap, Key("default", self._named(name)))

    async def data(self, name: str) -> dict[str, str]:
        found = await self.config(name)
        return dict(found.data) if found else {}

    async def said(self, kind: str) -> bool:
        """Whether a condition of the Work's current generation is true."""
        work = await self.work()
        condition = find(work.status.conditions, kind) if work else None
        if work is None or condition is None or not condition.true:
            return False
        return condition.observed_generation == work.metadata.generation


@pytest.fixture
async def placed(agent: AgentProcess, client: ApiClient, request: pytest.FixtureRequest) -> Placed:
    await agent.start()
    return Placed(client, f"work-{digest(request.node.name)}")


async def test_a_work_is_applied_kept_and_cleared_away(placed: Placed) -> None:
    await placed.write(a={"size": "1"}, b={"size": "1"})
    await until(lambda: placed.said("Available"))
    record = await placed.record()
    assert record
    assert [item.kind for item in record.status.applied_resources] == ["ConfigMap"] * 2
    made = await placed.config("a")
    assert made
    assert made.metadata.owner_references[0].uid == record.metadata.uid

    await placed.write(a={"size": "2"})
    await until(lambda: _is(placed, "a", {"size": "2"}))
    await until(lambda: _gone(placed, "b"))
    await until(lambda: placed.said("Applied"))


async def _is(placed: Placed, name: str, data: dict[str, str]) -> bool:
    return await placed.data(name) == data


async def _gone(placed: Placed, name: str) -> bool:
    return await placed.config(name) is None


async def test_a_change_on_the_member_is_put_back_within_a_second(placed: Placed) -> None:
    await placed.write(a={"size": "1"})
    await until(lambda: placed.said("Applied"))
    made = await placed.config("a")
    assert made
    other = ConfigMap(metadata=Metadata(name=made.name, namespace="default"), data={"size": "9"})
    await placed.client.as_manager("somebody").apply(other, force=True)
    await until(lambda: _is(placed, "a", {"size": "1"}), seconds=1)


async def test_a_deleted_work_is_released_once_its_record_is_gone(placed: Placed) -> None:
    await placed.write(a={"size": "1"})
    await until(lambda: placed.said("Applied"))
    work = await placed.work()
    assert work
    await placed.client.delete(work)

    async def record_is_deleted() -> bool:
        record = await placed.record()
        return record is not None and record.deleting

    await until(record_is_deleted)
    assert await placed.work()
    await _collect(placed)

    async def released() -> bool:
        return await placed.work() is None

    await until(released)


async def _collect(placed: Placed) -> None:
    """Do what the garbage collector does: owned objects first, then their owner."""
    made, record = await placed.config("a"), await placed.record()
    assert made
    assert record
    await placed.client.delete(made)
    await placed.client.json_patch(record, [{"op": "remove", "path": "/metadata/finalizers"}])


async def test_a_killed_agent_goes_on_where_it_was(placed: Placed, agent: AgentProcess) -> None:
    await placed.write(a={"size": "1"})
    await agent.kill()
    await placed.write(a={"size": "2"}, b={"size": "1"})
    await agent.start()
    await until(lambda: placed.said("Available"))
    assert await placed.data("a") == {"size": "2"}
    assert await placed.data("b") == {"size": "1"}


async def test_an_agent_ends_when_told(placed: Placed, agent: AgentProcess) -> None:
    assert await placed.work() is None
    assert await agent.terminate() == 0
