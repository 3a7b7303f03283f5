"""A hub killed at any write of an update run goes on where it was, to the same end."""

import asyncio
from contextlib import suppress
from typing import Any, Final

import pytest

from fleet.api.binding import ResourceBinding
from fleet.api.conditions import find
from fleet.api.names import BINDING_CLEANUP, PARENT, digest
from fleet.api.objects import Key
from fleet.api.placement import ResourcePlacement
from fleet.api.staged_update import ApprovalRequest, StagedUpdateRun
from fleet.kube.errors import KubeError
from fleet.testing.waiting import until
from tests.integration.faults.fuse import Fuse, Point, When, point
from tests.integration.faults.outcome import Outcome
from tests.integration.faults.scene import MEMBER, Recording, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
HUB: Final = "modelfleet-hub"
WAY: Final = (
    Point("updaterun", "PATCH", "stagedupdateruns"),
    Point("updaterun", "PATCH", "stagedupdateruns/status"),
    Point("updaterun", "POST", "approvalrequests"),
    Point("updaterun", "PATCH", "approvalrequests/status"),
    Point("updaterun", "PATCH", "resourcebindings"),
    Point("updaterun", "PATCH", "resourcebindings/status"),
    Point("updaterun", "DELETE", "resourcebindings"),
)
"""From the run that is made to the one that has succeeded."""
END: Final = (
    Point("updaterun", "DELETE", "approvalrequests"),
    Point("updaterun", "PATCH", "stagedupdateruns"),
)
"""Of a run that is deleted."""
SINGLE = [pytest.param(each, when, id=f"{when} {each}") for each in WAY for when in When]
GROUP: Final = "placement.kubernetes-fleet.io/v1beta1"


class Rollout:
    """A placement that update runs control, its one run, and the person whom that waits for."""

    def __init__(self, fleet: Scene, name: str) -> None:
        self.fleet, self.name, self.client = fleet, name, fleet.hub_client

    async def prepare(self) -> None:
        """Place, with something left over of a cluster that is chosen no more."""
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name}}
        for client in (self.client, self.fleet.member_client):
            await client.dynamic.apply(space)
        await self._make("v1", "ConfigMap", data={"a": "b"})
        selector = {"group": "", "version": "v1", "kind": "ConfigMap", "name": self.name}
        policy = {"placementType": "PickFixed", "clusterNames": [MEMBER]}
        await self._make(
            GROUP,
            "ResourcePlacement",
            spec={
                "resourceSelectors": [selector],
                "policy": policy,
                "strategy": {"type": "External"},
            },
        )
        stage = {"name": "all", "labelSelector": {}, "beforeStageTasks": [{"type": "Approval"}]}
        await self._make(GROUP, "StagedUpdateStrategy", spec={"stages": [stage]})
        await until(lambda: self._says("Scheduled"))
        # Before the hub knows the placement it would be taken for one whose placement is gone.
        await self._make(GROUP, "ResourceBinding", name=f"{self.name}-left", **_left(self.name))
        await until(self._left_is_seen)

    async def _make(self, api: str, kind: str, name: str = "", **parts: Any) -> None:
        metadata = {"name": name or self.name, "namespace": self.name, **parts.pop("metadata", {})}
        body = {"apiVersion": api, "kind": kind, "metadata": metadata, **parts}
        await self.client.dynamic.create(body)

    async def _left_is_seen(self) -> bool:
        """Wait for the hub's word on what it has not made itself."""
        found = await self.client.get(ResourceBinding, Key(self.name, f"{self.name}-left"))
        return found is not None and not found.in_use

    async def _says(self, kind: str) -> bool:
        found = await self.client.get(ResourcePlacement, self.key)
        said = find(found.status.conditions, f"ResourcePlacement{kind}") if found else None
        return said is not None and said.true

    @property
    def key(self) -> Key:
        return Key(self.name, self.name)

    async def succeeds(self) -> None:
        """Make the run, give the word that it waits for, and wait for its end."""
        await self._make(
            GROUP,
            "StagedUpdateRun",
            spec={
                "placementName": self.name,
                "stagedRolloutStrategyName": self.name,
                "state": "Run",
            },
        )
        await until(self._approved)
        await until(self._has_succeeded)
        await until(lambda: self._says("Available"))

    async def _approved(self) -> bool:
        found = await self._request()
        if found is None:
            return False
        word = {
            "type": "Approved",
            "status": "True",
            "reason": "LGTM",
            "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        resource = await self.client.dynamic.resource_for(GROUP, "ApprovalRequest")
        with suppress(KubeError):
            await self.client.dynamic.merge_patch(
                resource, found.key, {"status": {"conditions": [word]}}, subresource="status"
            )
            return True
        return False

    async def _request(self) -> ApprovalRequest | None:
        return await self.client.get(ApprovalRequest, Key(self.name, f"{self.name}-before-all"))

    async def run(self) -> StagedUpdateRun | None:
        return await self.client.get(StagedUpdateRun, self.key)

    async def _has_succeeded(self) -> bool:
        found = await self.run()
        said = find(found.status.conditions, "Succeeded") if found else None
        assert said is None or said.true, said
        return said is not None

    async def is_gone(self) -> bool:
        return (await self.run(), await self._request()) == (None, None)


def _left(run: str) -> dict[str, Any]:
    """What is there of a cluster that was chosen once, and has nothing yet: it is let go."""
    decision = {"clusterName": "eu", "selected": True, "reason": "it was"}
    return {
        "metadata": {"labels": {PARENT: run}, "finalizers": [BINDING_CLEANUP]},
        "spec": {
            "state": "Scheduled",
            "targetCluster": "eu",
            "resourceSnapshotName": "",
            "schedulingPolicySnapshotName": "",
            "clusterDecision": decision,
        },
    }


async def _undisturbed(fleet: Scene, name: str) -> tuple[Outcome, Recording]:
    """Let a run go to its end, and give what it has come to and what was written for it."""
    recording, rollout = Recording(), Rollout(fleet, name)
    fleet.listen(recording)
    await rollout.prepare()
    await rollout.succeeds()
    await fleet.quiet(recording)
    come_to = await fleet.outcome(name)
    live = await rollout.run()
    assert live
    await fleet.hub_client.delete(live)
    await until(rollout.is_gone)
    fleet.listen_no_more()
    return come_to, recording


async def test_the_table_has_every_write_of_a_run(fleet: Scene) -> None:
    _, recording = await _undisturbed(fleet, "run-table")
    made = {point(c)[1] for c in recording.writes if c.speaks_of("run-table")}
    assert {each for each in made if each.writer == "updaterun"} == {*WAY, *END}


async def test_a_hub_killed_at_each_write_of_a_run_in_turn_ends_what_it_began(
    fleet: Scene,
) -> None:
    wanted, _ = await _undisturbed(fleet, "run-calm")
    rollout = Rollout(fleet, "run-all")
    await rollout.prepare()
    fuse = Fuse(HUB, rollout.name, WAY, When.AFTER)
    fleet.listen(fuse)
    story = asyncio.create_task(rollout.succeeds())
    await fleet.burn_down(fleet.hub, fuse)
    await story
    await fleet.ends_as(rollout.name, wanted)
    live = await rollout.run()
    assert live
    fuse = Fuse(HUB, rollout.name, END, When.AFTER)
    fleet.listen(fuse)
    await fleet.hub_client.delete(live)
    await fleet.burn_down(fleet.hub, fuse)
    await until(rollout.is_gone)


@pytest.mark.chaos
@pytest.mark.parametrize(("at", "when"), SINGLE)
async def test_a_hub_killed_at_one_write_of_a_run_ends_what_it_began(
    fleet: Scene, at: Point, when: When
) -> None:
    # Not as a digest stands in names: an outcome leaves those out.
    rollout = Rollout(fleet, f"run-p{digest(str(at), when)}")
    await rollout.prepare()
    fuse = Fuse(HUB, rollout.name, (at,), when)
    fleet.listen(fuse)
    story = asyncio.create_task(rollout.succeeds())
    await fleet.burn_down(fleet.hub, fuse)
    await story
