"""Kinds that go away while programs run, or are another version's, hold up nobody else."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

import pytest

from fleet.api.binding import ResourceBinding
from fleet.api.cluster import InternalMemberCluster, MemberCluster
from fleet.api.conditions import find
from fleet.api.objects import Key
from fleet.api.placement import ResourcePlacement
from fleet.api.snapshot import SchedulingPolicySnapshot
from fleet.kube.client import ApiClient
from fleet.kube.fields import Field
from fleet.kube.resources import ApiResource
from fleet.testing.apiserver import ApiServer
from fleet.testing.fixtures import frail_member_server, frail_server
from fleet.testing.waiting import until
from tests.integration.faults.definitions import (
    OWNERS,
    Properties,
    collecting,
    of_another_version,
    removed,
)
from tests.integration.faults.outcome import Outcome, differences
from tests.integration.faults.programs import Forked, Nursery
from tests.integration.faults.scene import BEATS, MEMBER, Recording, Scene, Stage

__all__ = ["frail_member_server", "frail_server"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
QUIET_SECONDS = 3.0


@pytest.fixture(scope="module")
def stage(
    frail_server: ApiServer,
    frail_member_server: ApiServer,
    programs: Nursery,
    tmp_path_factory: pytest.TempPathFactory,
) -> Stage:
    home = tmp_path_factory.mktemp("scene")
    return Stage(frail_server, frail_member_server, programs, home)


HUBS = (
    ("modelendpoints.modelfleet.dev", "modelservices.modelfleet.dev"),
    ("resourcesnapshots.placement.kubernetes-fleet.io",),
)
MEMBERS = (
    ("inferencesets.kaito.sh",),
    ("appliedworks.placement.kubernetes-fleet.io",),
)


def _told(program: Forked, kinds: Iterable[str]) -> list[int]:
    """Count how often a program named each of the kinds as missing."""
    return [program.said(f"not served: {kind}") for kind in kinds]


def _more(program: Forked, kinds: Iterable[str], before: Iterable[int]) -> list[bool]:
    return [now > then for now, then in zip(_told(program, kinds), before, strict=True)]


async def _deployed(fleet: Scene, run: str) -> None:
    fleet.listen_no_more()
    await fleet.deploy(run)
    await until(lambda: fleet.ready(run))


@pytest.mark.parametrize("kinds", HUBS, ids=lambda kinds: kinds[0].partition(".")[0])
async def test_a_kind_that_the_hub_loses_is_named_and_taken_up_again_when_it_is_back(
    fleet: Scene, undisturbed: Outcome, kinds: tuple[str, ...]
) -> None:
    run = f"run-hub-{kinds[0].partition('.')[0]}"
    await _deployed(fleet, run)
    before = _told(fleet.hub, kinds)
    async with removed(fleet.hub_client, *kinds):
        await until(lambda: all(_more(fleet.hub, kinds, before)))
    await fleet.ends_as(run, undisturbed)
    assert _told(fleet.hub, kinds) == [count + 1 for count in before]
    assert fleet.hub.alive


@pytest.mark.parametrize("kinds", MEMBERS, ids=lambda kinds: kinds[0].partition(".")[0])
async def test_a_kind_that_a_member_loses_is_named_and_taken_up_again_when_it_is_back(
    fleet: Scene, undisturbed: Outcome, kinds: tuple[str, ...]
) -> None:
    run = f"run-member-{kinds[0].partition('.')[0]}"
    await _deployed(fleet, run)
    told = _told(fleet.agent, kinds)
    async with removed(fleet.member_client, *kinds):
        await until(lambda: all(_more(fleet.agent, kinds, told)))
    async with collecting(fleet.member_client, run):
        await fleet.ends_as(run, undisturbed)
    assert fleet.agent.alive


async def test_workspaces_that_a_member_loses_are_made_again(
    fleet: Scene, undisturbed: Outcome
) -> None:
    run, kind = "run-member-workspaces", "workspaces.kaito.sh"
    await _deployed(fleet, run)

    async def same() -> bool:
        """Their nodes are still there: no claim is made for them once more."""
        found = await fleet.outcome(run)
        return "member Workspace RUN/RUN-DIGEST" in found and not differences(
            _on_hub(found), _on_hub(undisturbed)
        )

    async with removed(fleet.member_client, kind):
        await until(lambda: fleet.agent.said(f"not served: {kind}"))
    async with collecting(fleet.member_client, run):
        await until(same)
    assert fleet.agent.alive


OF_PROGRAMS: Final = (
    ("inferencesets.kaito.sh",),
    ("works.placement.kubernetes-fleet.io",),
    ("resourcebindings.placement.kubernetes-fleet.io",),
    (
        "works.placement.kubernetes-fleet.io",
        "resourcebindings.placement.kubernetes-fleet.io",
        "resourcesnapshots.placement.kubernetes-fleet.io",
        "schedulingpolicysnapshots.placement.kubernetes-fleet.io",
    ),
)


@pytest.mark.parametrize("kinds", OF_PROGRAMS, ids=["workloads", "works", "bindings", "all"])
async def test_what_a_member_runs_stays_when_the_hub_loses_the_kinds_that_brought_it(
    fleet: Scene, undisturbed: Outcome, kinds: tuple[str, ...]
) -> None:
    run = f"run-kept-{len(kinds)}-{kinds[0].partition('.')[0]}"
    fleet.listen_no_more()
    await fleet.deploy(run)
    await fleet.ends_as(run, undisturbed)
    before, told = await _uids(fleet.member_client, run), _told(fleet.hub, kinds)
    async with removed(fleet.hub_client, *kinds):
        await until(lambda: all(_more(fleet.hub, kinds, told)))
    await fleet.ends_as(run, undisturbed)
    assert await _uids(fleet.member_client, run) == before


async def _uids(client: ApiClient, run: str) -> set[str]:
    return {
        body["metadata"]["uid"] for kind in OWNERS for body in await _of_run(client, run, *kind)
    }


def _on_hub(found: Outcome) -> Outcome:
    return {name: body for name, body in found.items() if name.startswith("hub ")}


def _without(part: str, field: str) -> Callable[[Properties], None]:
    """Make of a schema an older one."""

    def change(properties: Properties) -> None:
        properties[part]["properties"].pop(field, None)

    return change


def _later(properties: Properties) -> None:
    """Make of a schema a newer one."""
    for part in ("spec", "status"):
        if part in properties:
            properties[part]["properties"]["later"] = {"type": "string"}


FLEET: Final = "placement.kubernetes-fleet.io"
CLUSTER: Final = "cluster.kubernetes-fleet.io"
OLDER_ON_HUB: Final = {
    f"memberclusters.{CLUSTER}": _without("status", "gateway"),
    f"internalmemberclusters.{CLUSTER}": _without("status", "region"),
    f"resourceplacements.{FLEET}": _without("status", "observedResourceIndex"),
    f"works.{FLEET}": _without("spec", "reportBackStrategy"),
    "inferencesets.kaito.sh": _without("status", "readyReplicas"),
    "modeldeployments.modelfleet.dev": _without("status", "usdPerHour"),
    "modelservices.modelfleet.dev": _without("status", "readyEndpoints"),
    "modelendpoints.modelfleet.dev": _without("spec", "region"),
}
NEEDED: Final = (
    Field(SchedulingPolicySnapshot, "spec.demands", holds_list=True),
    Field(ResourceBinding, "spec.allocations", holds_list=True),
    Field(MemberCluster, "status.inventory"),
    Field(InternalMemberCluster, "status.inventory"),
)
OLDER_ON_MEMBER: Final = {
    f"appliedworks.{FLEET}": _without("status", "appliedResources"),
    "inferencesets.kaito.sh": _without("status", "readyReplicas"),
    "workspaces.kaito.sh": _without("status", "targetNodeCount"),
}


async def test_fields_that_older_schemas_lack_are_written_once_these_are_newer_and_not_before(
    fleet: Scene, undisturbed: Outcome
) -> None:
    run, heard = "run-older", Recording()
    async with (
        of_another_version(fleet.hub_client, OLDER_ON_HUB),
        of_another_version(fleet.member_client, OLDER_ON_MEMBER),
    ):
        fleet.listen(heard)
        await fleet.deploy(run)
        await until(lambda: any(call.resource == "works" for call in heard.writes))
        await _at_rest(heard)
        fleet.listen_no_more()
    await fleet.ends_as(run, undisturbed)


@pytest.mark.parametrize("needed", NEEDED, ids=lambda needed: needed.model.plural())
async def test_a_crd_that_cannot_hold_what_a_model_needs_is_named_until_a_newer_one_is_there(
    fleet: Scene, undisturbed: Outcome, needed: Field
) -> None:
    run, crd, client = f"run-needs-{needed.model.plural()}", needed.lack.crd, fleet.hub_client
    words = f"{crd} has no field {needed.path}"

    async def unknown() -> bool:
        return not await client.knows(needed)

    async def said() -> bool:
        live = await client.get(ResourcePlacement, Key(run, run))
        told = live and find(live.status.conditions, "ResourcePlacementScheduled")
        return bool(told and told.false and f"{words}; install the CRDs" in told.message)

    fleet.listen_no_more()
    async with of_another_version(client, {crd: _without(*needed.path.split("."))}):
        await until(unknown)
        await until(lambda: _left_out(client, needed))
        await fleet.deploy(run)
        await until(said)
        assert fleet.hub.said(words)
    await fleet.ends_as(run, undisturbed)


async def _left_out(client: ApiClient, needed: Field) -> bool:
    """Wait for the next heartbeat: until then the hub places by the inventory that it knows."""
    if needed.model is not MemberCluster:
        return True
    live = await client.dynamic.get(ApiResource.of(MemberCluster), Key("", MEMBER))
    return live is not None and "f:inventory" not in str(live["metadata"]["managedFields"])


async def _at_rest(heard: Recording) -> None:
    """Wait until little is written but heartbeats, of which there is about one a second.

    Each is written twice where a field of it is refused, and what is heard counts both. Of the
    rest each controller asks now and then whether a field is known by now.
    """
    loop = asyncio.get_running_loop()
    begun = [0, loop.time()]

    def rests() -> bool:
        often = Counter((call.resource, call.manager) for call in heard.writes[int(begun[0]) :])
        much = {at for at, times in often.items() if times > _allowed(*at)}
        if much:
            begun[:] = [len(heard.writes), loop.time()]
        return loop.time() - begun[1] > QUIET_SECONDS

    try:
        await until(rests)
    except TimeoutError:
        most = Counter((call.resource, call.manager) for call in heard.writes[-200:])
        raise AssertionError(most.most_common(5)) from None


def _allowed(resource: str, _manager: str) -> float:
    return 6 * QUIET_SECONDS if resource.startswith(BEATS) else QUIET_SECONDS


NEWER: Final = (
    ("modelfleet.dev/v1alpha1", "ModelDeployment", "modeldeployments.modelfleet.dev"),
    ("modelfleet.dev/v1alpha1", "ModelService", "modelservices.modelfleet.dev"),
    ("modelfleet.dev/v1alpha1", "ModelEndpoint", "modelendpoints.modelfleet.dev"),
    ("kaito.sh/v1beta1", "InferenceSet", "inferencesets.kaito.sh"),
    (f"{FLEET}/v1beta1", "ResourcePlacement", f"resourceplacements.{FLEET}"),
    (f"{FLEET}/v1beta1", "ResourceBinding", f"resourcebindings.{FLEET}"),
)


async def test_fields_that_only_newer_schemas_have_are_left_alone(fleet: Scene) -> None:
    run, heard, client = "run-newer", Recording(), fleet.hub_client
    async with of_another_version(client, {crd: _later for _, _, crd in NEWER}):
        fleet.listen(heard)
        await fleet.deploy(run)
        await until(lambda: fleet.ready(run))
        for api_version, kind, _ in NEWER:
            await until(partial(_say_later, client, run, api_version, kind))
        before = len(heard.writes)
        more = {"spec": {"replicas": 2}}
        deployments = await client.dynamic.resource_for(*NEWER[0][:2])
        await client.dynamic.merge_patch(deployments, Key(run, run), more)
        await until(lambda: any(c.resource == "resourcebindings" for c in heard.writes[before:]))
        await _at_rest(heard)
        for api_version, kind, _ in NEWER:
            for live in await _of_run(client, run, api_version, kind):
                assert (live["spec"]["later"], live["status"]["later"]) == ("a", "b"), kind
    fleet.listen_no_more()


async def _say_later(client: ApiClient, run: str, api_version: str, kind: str) -> bool:
    """Fill in the new field, and say whether the server keeps it: the old schema drops it."""
    resource = await client.dynamic.resource_for(api_version, kind)
    kept = []
    for live in await _of_run(client, run, api_version, kind):
        key = Key(run, live["metadata"]["name"])
        patch: Mapping[str, Any] = {"spec": {"later": "a"}}
        spec = await client.dynamic.merge_patch(resource, key, patch)
        patch = {"status": {"later": "b"}}
        status = await client.dynamic.merge_patch(resource, key, patch, subresource="status")
        kept += [spec["spec"].get("later"), status["status"].get("later")]
    return bool(kept) and None not in kept


async def _of_run(client: ApiClient, run: str, api_version: str, kind: str) -> list[dict[str, Any]]:
    resource = await client.dynamic.resource_for(api_version, kind)
    return await client.dynamic.list(resource, run)
