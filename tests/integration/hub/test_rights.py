"""What the hub lets an agent do, judged by the API server itself."""

from collections.abc import AsyncIterator

import pytest

from fleet.api import names
from fleet.api.cluster import InternalMemberCluster, InternalMemberClusterStatus, MemberCluster
from fleet.api.conditions import Condition, ConditionStatus
from fleet.api.core import Event, Secret
from fleet.api.objects import Key, Metadata
from fleet.api.work import Work, WorkStatus
from fleet.kube.client import ApiClient
from fleet.kube.errors import ForbiddenError
from fleet.runtime import clock
from fleet.testing.apiserver import NOBODY, ApiServer
from fleet.testing.waiting import until
from tests.integration.hub.conftest import HubProcess

APPLIED = Condition(
    type="Applied",
    status=ConditionStatus.TRUE,
    reason="AllManifestsApplied",
    message="All manifests are applied",
    observed_generation=1,
    last_transition_time=clock.now(),
)
HOME = Key(names.member_namespace("narrow"), "narrow")
ELSEWHERE = "default"
MARKS = ("labels", "annotations")


@pytest.fixture
async def agent(client: ApiClient, server: ApiServer, hub: HubProcess) -> AsyncIterator[ApiClient]:
    """Be the agent of a member whose identity is a user that has no rights of its own."""
    del hub
    identity = {"kind": "User", "name": NOBODY}
    narrow = {"metadata": {"name": HOME.name}, "spec": {"identity": identity}}
    await client.apply(MemberCluster.model_validate(narrow), force=True)
    made = ApiClient(server.connection(NOBODY), "agent")
    await until(lambda: _may_read(made))
    yield made
    await made.close()


async def _may_read(agent: ApiClient) -> bool:
    try:
        return await agent.get(InternalMemberCluster, HOME) is not None
    except ForbiddenError:
        return False


def _work(namespace: str) -> Work:
    return Work.model_validate({"metadata": {"name": "w", "namespace": namespace}})


async def test_an_agent_reads_its_works_and_reports_on_them(
    agent: ApiClient, client: ApiClient
) -> None:
    made = await client.apply(_work(HOME.namespace), force=True)
    (seen,) = (await agent.list(Work, HOME.namespace)).objects()
    assert seen.name == made.name
    await agent.patch_status(seen, WorkStatus(conditions=(APPLIED,)))
    finalizers = {"op": "add", "path": "/metadata/finalizers", "value": ["agent.example/x"]}
    held = await agent.json_patch(seen, [finalizers])
    await agent.json_patch(held, [{"op": "remove", "path": "/metadata/finalizers"}])
    internal = await agent.get(InternalMemberCluster, HOME)
    assert internal
    await agent.patch_status(internal, InternalMemberClusterStatus(region="centralus"))
    reference = {"kind": "Work", "name": "w", "namespace": HOME.namespace}
    metadata = Metadata(name="w.1", namespace=HOME.namespace)
    await agent.create(Event(metadata=metadata, involved_object=reference, reason="Seen"))


async def test_an_agent_makes_no_works_and_takes_none_away(
    agent: ApiClient, client: ApiClient
) -> None:
    made = await client.apply(_work(HOME.namespace), force=True)
    with pytest.raises(ForbiddenError):
        await agent.create(Work(metadata=Metadata(name="mine", namespace=HOME.namespace)))
    with pytest.raises(ForbiddenError):
        await agent.delete(made)


async def test_an_agent_does_not_change_what_a_work_says(
    agent: ApiClient, client: ApiClient
) -> None:
    made = await client.apply(_work(HOME.namespace), force=True)
    another = {"workload": {"manifests": [{"apiVersion": "v1", "kind": "Secret"}]}}
    for path, value in (("/spec", another), *((f"/metadata/{m}", {"a": "b"}) for m in MARKS)):
        with pytest.raises(ForbiddenError, match="only the hub of modelfleet writes"):
            await agent.json_patch(made, [{"op": "add", "path": path, "value": value}])


async def test_an_agent_does_not_change_what_is_asked_of_it(agent: ApiClient) -> None:
    internal = await agent.get(InternalMemberCluster, HOME)
    assert internal
    with pytest.raises(ForbiddenError):
        await agent.json_patch(
            internal, [{"op": "replace", "path": "/spec/state", "value": "Join"}]
        )


async def test_an_agent_sees_nothing_of_others(agent: ApiClient) -> None:
    for model, namespace in ((Work, ELSEWHERE), (Work, ""), (Secret, HOME.namespace)):
        with pytest.raises(ForbiddenError):
            await agent.list(model, namespace)
    with pytest.raises(ForbiddenError):
        await agent.list(MemberCluster)
    with pytest.raises(ForbiddenError):
        await agent.request_token(Key(ELSEWHERE, "default"), 600)
