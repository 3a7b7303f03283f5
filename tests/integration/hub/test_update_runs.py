"""Staged update runs on a real API server, with the real hub and members that answer."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import yaml

from fleet.api import names
from fleet.api.conditions import Condition, find
from fleet.api.core import ConfigMap, Namespace, ServiceAccount
from fleet.api.objects import Key, Metadata
from fleet.api.scope import CLUSTER, NAMESPACED, Scope
from fleet.api.staged_update import Approval, ApprovalStatus, UpdateRun
from fleet.api.work import Work
from fleet.kube.client import ApiClient, swap
from fleet.kube.errors import NotPermittedError
from fleet.testing.apiserver import ApiServer
from fleet.testing.waiting import until
from tests.integration.hub.conftest import HubProcess
from tests.integration.hub.fleet import shaped
from tests.integration.hub.members import Members

SCOPES = pytest.mark.parametrize(
    "scope", [CLUSTER, NAMESPACED], ids=["cluster", "namespaced"], indirect=True
)
EXAMPLE = """
stages:
  - name: staging
    labelSelector: {matchLabels: {environment: staging}}
    afterStageTasks: [{type: TimedWait, waitTime: 1s}]
  - name: canary
    labelSelector: {matchLabels: {environment: canary}}
    sortingLabelKey: name
    afterStageTasks: [{type: Approval}]
  - name: production
    labelSelector: {matchLabels: {environment: production}}
    sortingLabelKey: order
    afterStageTasks: [{type: Approval}, {type: TimedWait, waitTime: 1s}]
"""
"""KubeFleet's own example of a strategy, with shorter waits."""
PLACEMENT, STRATEGY = "example-placement", "example-strategy"


class Release:
    """A placement with its strategy and runs, in one scope, on members of its own."""

    def __init__(self, client: ApiClient, scope: Scope, name: str) -> None:
        self.client, self.scope, self.name = client, scope, name
        self.team = f"team-{name}"
        roles = {
            "c": {"environment": "staging"},
            "a": {"environment": "canary", "name": "1"},
            "b": {"environment": "production", "order": "2"},
            "d": {"environment": "production", "order": "1"},
        }
        labels = {f"{role}-{name}": own | {"team": name} for role, own in roles.items()}
        self.members = Members(client, self.team, labels)
        self.placement = f"{PLACEMENT}-{name}"
        self.strategy = f"{STRATEGY}-{name}"

    def on(self, roles: str) -> list[str]:
        return [f"{role}-{self.name}" for role in roles]

    @property
    def namespace(self) -> str:
        return self.team if self.scope.namespaced else ""

    def key(self, name: str) -> Key:
        return Key(self.namespace, name)

    async def edit(self, value: str) -> None:
        """Change what is placed: a ConfigMap, or the Namespace for placements that have none."""
        labels = {"edit": value, "app": self.team}
        space = shaped(Namespace, self.team, metadata={"labels": labels})
        await self.client.apply(space, force=True)
        if self.scope.namespaced:
            metadata = {"labels": labels}
            await self.client.apply(
                shaped(ConfigMap, "a", self.team, metadata=metadata), force=True
            )

    async def place(self) -> None:
        if self.scope.namespaced:
            selector = {"group": "", "version": "v1", "kind": "ConfigMap", "name": "a"}
        else:
            only = {"name": self.team, "selectionScope": "NamespaceOnly"}
            selector = {"group": "", "version": "v1", "kind": "Namespace", **only}
        mine = {"labelSelector": {"matchLabels": {"team": self.name}}}
        required = {
            "requiredDuringSchedulingIgnoredDuringExecution": {"clusterSelectorTerms": [mine]}
        }
        policy = {"placementType": "PickAll", "affinity": {"clusterAffinity": required}}
        spec = {
            "resourceSelectors": [selector],
            "policy": policy,
            "strategy": {"type": "External"},
        }
        await self.create(self.scope.placement, self.placement, spec)
        async with self.told_if_late():
            await until(self._has_all)

    async def _has_all(self) -> bool:
        """Wait for those that are still joining: one that comes later ends a run."""
        mine = f"{names.PARENT}={self.placement}"
        bindings = await self.client.list(self.scope.binding, self.namespace, mine)
        return len(bindings.items) == len(self.members.labels)

    async def stages(self, spec: dict[str, Any]) -> None:
        await self.create(self.scope.strategy, self.strategy, spec)

    async def begin(self, run: str, **more: Any) -> None:
        spec = {
            "placementName": self.placement,
            "stagedRolloutStrategyName": self.strategy,
            "state": "Run",
            **more,
        }
        await self.create(self.scope.run, f"{run}-{self.name}", spec)

    async def create(self, kind: Any, name: str, spec: dict[str, Any]) -> None:
        await self.client.create(shaped(kind, name, self.namespace, spec=spec))

    async def run(self, run: str) -> UpdateRun:
        found = await self.client.get(self.scope.run, self.key(f"{run}-{self.name}"))
        assert found
        return found

    async def told(self, run: str, kind: str = "Progressing") -> str:
        said = find((await self.run(run)).status.conditions, kind)
        return said.reason if said else ""

    async def comes_to(self, run: str, reason: str, kind: str = "Progressing") -> None:
        async def there() -> bool:
            return await self.told(run, kind) == reason

        async with self.told_if_late():
            await until(there)

    @asynccontextmanager
    async def told_if_late(self) -> AsyncIterator[None]:
        """Name what stands where, should what the block waits for not come."""
        try:
            yield
        except TimeoutError:
            bindings = await self.client.list(self.scope.binding, self.namespace)
            runs = await self.client.list(self.scope.run, self.namespace)
            said: list[Any] = [self.members.begun]
            said += [each.dump() for listed in (runs, bindings) for each in listed.objects()]
            said += [each.dump() for each in self.members.works()]
            raise AssertionError(json.dumps(said, indent=1)) from None

    async def gives(self, roles: str) -> None:
        """Wait until just these members were given something new, in any order."""
        async with self.told_if_late():
            await until(lambda: sorted(self.members.begun) == self.on(roles))

    async def asks(self, request: str) -> Approval:
        key = self.key(request)
        async with self.told_if_late():
            await until(lambda: self.client.get(self.scope.approval, key))
        found = await self.client.get(self.scope.approval, key)
        assert found
        return found

    async def approve(self, request: str, *, client: ApiClient | None = None) -> None:
        asked = await self.asks(request)
        await (client or self.client.as_manager("somebody")).patch_status(asked, LGTM)

    async def has(self, roles: str) -> set[str]:
        """Give what these members are given to have."""
        return {await self._has(cluster) for cluster in self.on(roles)}

    async def _has(self, cluster: str) -> str:
        name = names.work_name(self.placement, self.namespace)
        work = await self.client.get(Work, Key(names.member_namespace(cluster), name))
        if work is None:
            return ""
        (manifest,) = work.spec.workload.manifests
        return str(manifest["metadata"]["labels"]["edit"])


LGTM = ApprovalStatus(
    conditions=(
        Condition.model_validate(
            {
                "type": "Approved",
                "status": "True",
                "reason": "LGTM",
                "message": "looks good",
                "observedGeneration": 1,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
        ),
    )
)


@asynccontextmanager
async def release(client: ApiClient, scope: Scope, name: str) -> AsyncIterator[Release]:
    made = Release(client, scope, name)
    await made.members.join()
    await made.edit("v0")
    await made.place()
    async with made.members.answering():
        yield made


@pytest.fixture
def scope(request: pytest.FixtureRequest) -> Scope:
    found: Scope = getattr(request, "param", NAMESPACED)
    return found


@pytest.fixture
async def made(
    client: ApiClient, hub: HubProcess, scope: Scope, request: pytest.FixtureRequest
) -> AsyncIterator[Release]:
    del hub
    async with release(client, scope, names.digest(request.node.name)) as running:
        yield running


@SCOPES
async def test_the_example_ends_as_its_documentation_says_and_is_rolled_back(
    made: Release,
) -> None:
    await made.stages(yaml.safe_load(EXAMPLE))
    await made.begin("first")
    canary, production = (f"first-{made.name}-after-{each}" for each in ("canary", "production"))
    await made.asks(canary)
    assert await made.has("ca") == {"v0"}
    assert await made.has("bd") == {""}
    await made.comes_to("first", "UpdateRunWaiting")
    await made.approve(canary)
    await made.approve(production)
    await made.comes_to("first", "UpdateRunSucceeded", "Succeeded")
    assert made.members.begun == made.on("cadb")
    accepted = find((await made.asks(canary)).status.conditions, "ApprovalAccepted")
    assert accepted
    assert accepted.reason == "ApprovalRequestApprovalAccepted"

    await made.edit("v1")
    await made.begin("second")
    await made.asks(f"second-{made.name}-after-canary")
    assert (await made.has("ca"), await made.has("bd")) == ({"v1"}, {"v0"})
    await made.begin("back", resourceSnapshotIndex="0")
    for stage in ("canary", "production"):
        await made.approve(f"back-{made.name}-after-{stage}")
    await made.comes_to("back", "UpdateRunSucceeded", "Succeeded")
    assert await made.has("abcd") == {"v0"}
    assert (await made.run("back")).status.resource_snapshot_index_used == "0"


async def test_a_run_waits_for_who_may_speak_and_rests_when_it_is_told_to(
    made: Release, server: ApiServer
) -> None:
    everyone = {"name": "all", "labelSelector": {}, "maxConcurrency": "50%"}
    await made.stages({"stages": [everyone | {"beforeStageTasks": [{"type": "Approval"}]}]})
    made.members.not_ready = set(made.on("abcd"))
    await made.begin("calm")
    request = f"calm-{made.name}-before-all"
    await made.comes_to("calm", "UpdateRunWaiting")
    nobody = await _account_without_rights(made, server)
    with pytest.raises(NotPermittedError):
        await made.approve(request, client=nobody)
    await nobody.close()
    assert await made.told("calm") == "UpdateRunWaiting"
    await made.approve(request)
    await made.gives("ab")
    live = await made.run("calm")
    await made.client.json_patch(live, swap("/spec/state", "Run", "Stop"))
    await made.comes_to("calm", "UpdateRunStopping")
    for cluster in made.on("ab"):
        await made.members.ready(cluster)
    await made.comes_to("calm", "UpdateRunStopped")
    assert sorted(made.members.begun) == made.on("ab")
    made.members.not_ready.clear()
    live = await made.run("calm")
    await made.client.json_patch(live, swap("/spec/state", "Stop", "Run"))
    await made.comes_to("calm", "UpdateRunSucceeded", "Succeeded")
    await made.client.delete(await made.run("calm"))
    await until(lambda: _gone(made, request))


async def _gone(made: Release, request: str) -> bool:
    return await made.client.get(made.scope.approval, made.key(request)) is None


async def _account_without_rights(made: Release, server: ApiServer) -> ApiClient:
    account = ServiceAccount(metadata=Metadata(name="nobody", namespace=made.team))
    await made.client.create(account)
    token = await made.client.request_token(account.key, 3600)
    return ApiClient(server.connection(token), "nobody")


async def test_a_cluster_that_joins_ends_a_run_unless_it_follows(made: Release) -> None:
    stage = {"name": "all", "labelSelector": {}}
    await made.stages({"stages": [stage]})
    made.members.not_ready = set(made.on("a"))
    await made.begin("strict")
    await made.gives("a")
    await made.members.join_later(f"e-{made.name}", team=made.name)
    await made.comes_to("strict", "UpdateRunFailed", "Succeeded")
    said = find((await made.run("strict")).status.conditions, "Succeeded")
    assert said
    assert f"e-{made.name} joined" in said.message

    live = await made.client.get(made.scope.strategy, made.key(made.strategy))
    assert live
    follow = {"op": "add", "path": "/spec/whenClustersChange", "value": "Follow"}
    await made.client.json_patch(live, [follow])
    await made.begin("long")
    await made.comes_to("long", "UpdateRunProgressing")
    await made.members.join_later(f"f-{made.name}", team=made.name)
    await until(lambda: _lists(made, f"f-{made.name}"))
    await made.members.ready(*made.on("a"))
    await made.comes_to("long", "UpdateRunSucceeded", "Succeeded")
    assert made.members.begun == made.on("abcdef")


async def _lists(made: Release, cluster: str) -> bool:
    stages = (await made.run("long")).status.stages_status
    return any(each.cluster_name == cluster for stage in stages for each in stage.clusters)
