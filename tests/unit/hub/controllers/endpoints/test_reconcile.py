"""A workload that is placed gets its endpoints and its service, and keeps them true."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from fleet.api import names
from fleet.api.binding import BindingState
from fleet.api.keys import Key
from fleet.api.scope import CLUSTER, NAMESPACED
from fleet.api.service import ModelEndpoint, ModelService
from fleet.api.work import Work
from fleet.api.workspace import UPDATING, Adapter, DataSource, InferenceSet, Workspace
from fleet.kube.cache import Cache
from fleet.kube.errors import ConflictError
from fleet.testing.client import FakeClient
from fleet.testing.workloads import (
    NAMESPACE,
    NOON,
    PHI,
    binding,
    condition,
    inference_set,
    member,
    metadata,
    snapshot,
    work,
    workspace,
)
from hub.controllers.endpoints.handlers import Endpoints
from hub.controllers.endpoints.observe import BY_WORKLOAD_UID, Reads, workload_uid
from hub.scope_caches import caches
from hub.shares import INDICES, WorkloadReads

READY = {"state": "Ready", "conditions": [condition("InferenceReady", "True")]}
OWN = ModelService.model_validate(
    {"metadata": metadata("phi-4-mini-instruct"), "spec": {"model": "phi", "aliases": ["p"]}}
)
BROKEN = {"conditions": [condition("InferenceReady", "False", message="it crashes")]}
UPDATED = {"conditions": [condition("InferenceReady", "False", UPDATING)]}
"""An earlier engine answers while the new one starts."""


class Heard:
    """Which members are silent, as a test says."""

    def __init__(self, *silent: str) -> None:
        self.names = set(silent)
        self.listeners = list[Callable[[str], None]]()

    def silent(self, name: str) -> bool:
        return name in self.names

    def on_change(self, listener: Callable[[str], None]) -> None:
        self.listeners.append(listener)


class World:
    def __init__(self, *resources: Any, silent: tuple[str, ...] = ()) -> None:
        self.client = FakeClient()
        self.workspaces, self.sets = Cache(Workspace), Cache(InferenceSet)
        self.look = Reads(
            workloads=self.workspaces,
            others=(self.workspaces, self.sets),
            fleet=WorkloadReads(
                works=Cache(Work, indices=INDICES),
                clusters=Cache(type(member("us"))),
                cluster=caches(CLUSTER),
                namespaced=caches(NAMESPACED),
            ),
            services=Cache(ModelService),
            endpoints=Cache(
                ModelEndpoint, indices={BY_WORKLOAD_UID: lambda meta: workload_uid(meta.labels)}
            ),
        )
        self.heard = Heard(*silent)
        self.endpoints = Endpoints(
            client=self.client,
            look=self.look,
            silence=self.heard,
            clock=lambda: NOON,
        )
        for resource in resources:
            self.client.put(resource)

    async def reconcile(self, name: str = PHI) -> None:
        for cache in self.endpoints.reads:
            await self.client.relist(cache)
        await self.endpoints.reconcile(Key(NAMESPACE, name))

    def states(self) -> dict[str, tuple[str, str]]:
        """Say for each endpoint whether it is ready, and why."""
        found = self.client.all(ModelEndpoint)
        conditions = {e.spec.cluster: e.status.conditions[0] for e in found}
        return {cluster: (c.status, c.reason) for cluster, c in conditions.items()}


def fleet(*clusters: str, status: Any = READY, **more: Any) -> list[Any]:
    """Build a workspace that is placed on these clusters."""
    phi = workspace(**more)
    placed = [part for c in clusters for part in (member(c), binding(c, phi), work(c, phi, status))]
    return [phi, snapshot(phi, 7), *placed]


def owners(service: ModelService) -> list[str]:
    return [owner.name for owner in service.metadata.owner_references]


@pytest.mark.parametrize(
    ("status", "silent", "said"),
    [
        (READY, (), ("True", "Serving")),
        (BROKEN, (), ("False", "WorkloadNotReady")),
        (UPDATED, (), ("True", "Serving")),
        (None, (), ("False", "NotReported")),
        (READY, ("us",), ("Unknown", "MemberSilent")),
    ],
)
async def test_an_endpoint_says_how_its_share_fares(
    status: Any, silent: tuple[str, ...], said: tuple[str, str]
) -> None:
    world = World(*fleet("us", status=status), silent=silent)
    await world.reconcile()
    assert world.states() == {"us": said}
    (endpoint,) = world.client.all(ModelEndpoint)
    assert endpoint.spec.url == "https://us.example/v1"
    assert (endpoint.spec.region, endpoint.spec.service) == ("centralus", "phi-4-mini-instruct")


async def test_a_placed_model_gets_a_service_that_its_workload_owns() -> None:
    world = World(*fleet("us", "eu"))
    await world.reconcile()
    (service,) = world.client.all(ModelService)
    assert (service.name, service.spec.model) == ("phi-4-mini-instruct", "phi-4-mini-instruct")
    assert [owner.name for owner in service.metadata.owner_references] == [PHI]


async def test_a_model_that_is_placed_no_more_gives_its_name_up() -> None:
    world = World(*fleet("us"))
    await world.reconcile()
    await world.client.delete(work("us", workspace(), READY))
    await world.reconcile()
    assert world.client.all(ModelService) == []
    assert world.client.all(ModelEndpoint) == []


async def test_only_what_is_placed_owns_a_service() -> None:
    world = World(*fleet("us"), inference_set("more-phi", preset="phi-4-mini-instruct"))
    await world.reconcile()
    (service,) = world.client.all(ModelService)
    assert {owner.name for owner in service.metadata.owner_references} == {PHI}


async def test_workloads_of_one_model_share_its_service() -> None:
    twin = inference_set("more-phi", preset="phi-4-mini-instruct")
    world = World(*fleet("us"), twin, work("eu", twin, None))
    await world.reconcile()
    (service,) = world.client.all(ModelService)
    assert {owner.name for owner in service.metadata.owner_references} == {PHI, "more-phi"}
    assert service.spec.aliases == ("more-phi",)


async def test_adapters_are_models_beside_the_one_that_they_change() -> None:
    sql = Adapter(source=DataSource(name="sql", image="sql:1"))
    preset = workspace().inference
    assert preset
    inference = preset.model_copy(update={"adapters": (sql,)})
    tuned = workspace().model_copy(update={"inference": inference})
    world = World(*fleet("us"), tuned)
    await world.reconcile()
    (service,) = world.client.all(ModelService)
    assert service.spec.adapters == ("sql",)
    found = {each.name: each.spec.adapters for each in world.client.all(ModelEndpoint)}
    assert found == {f"{PHI}-us": ("sql",)}


async def test_a_service_of_several_models_is_named_by_the_eldest_and_comes_to_rest() -> None:
    chat, later = {names.SERVICE: "chat"}, NOON + timedelta(hours=1)
    elder = workspace("z-elder", preset="phi-4", annotations=chat, creationTimestamp=NOON)
    younger = fleet("us", annotations=chat, creationTimestamp=later)
    world = World(*younger, elder, work("eu", elder, None))
    await world.reconcile()
    (service,) = world.client.all(ModelService)
    assert (service.name, service.spec.model) == ("chat", "phi-4")
    assert service.spec.aliases == ("phi-4-mini-instruct",)
    assert owners(service) == ["z-elder", PHI]
    assert [e.spec.model for e in world.client.all(ModelEndpoint)] == ["phi-4-mini-instruct"]
    world.client.writes_left = 0
    for name in ("z-elder", PHI):
        await world.reconcile(name)


async def test_a_model_that_is_called_otherwise_gives_its_old_name_up() -> None:
    world = World(*fleet("us"))
    await world.reconcile()
    world.client.put(workspace(annotations={names.ENDPOINT_NAME: "chat"}))
    await world.reconcile()
    assert [service.spec.model for service in world.client.all(ModelService)] == ["chat"]
    assert [each.spec.service for each in world.client.all(ModelEndpoint)] == ["chat"]
    world.client.writes_left = 0
    await world.reconcile()


async def test_who_leaves_a_shared_service_is_no_owner_of_it_any_more() -> None:
    twin = inference_set("more-phi", preset="phi-4-mini-instruct")
    world = World(*fleet("us"), twin, work("eu", twin, None))
    await world.reconcile()
    world.client.put(workspace(annotations={names.ENDPOINT_NAME: "chat"}))
    await world.reconcile()
    found = {service.name: owners(service) for service in world.client.all(ModelService)}
    assert found == {"chat": [PHI], "phi-4-mini-instruct": ["more-phi"]}


async def test_a_users_own_service_is_left_as_it_is() -> None:
    world = World(*fleet("us"), OWN)
    await world.reconcile()
    assert [service.spec for service in world.client.all(ModelService)] == [OWN.spec]
    assert [place.spec.model for place in world.client.all(ModelEndpoint)] == [
        "phi-4-mini-instruct"
    ]


async def test_what_somebody_changed_in_what_is_derived_is_put_right() -> None:
    world = World(*fleet("us"))
    await world.reconcile()
    (service,), (endpoint,) = world.client.all(ModelService), world.client.all(ModelEndpoint)
    renamed = service.spec.model_copy(update={"model": "phi"})
    moved = endpoint.spec.model_copy(update={"url": "http://elsewhere.example/v1"})
    world.client.put(service.model_copy(update={"spec": renamed}))
    world.client.put(endpoint.model_copy(update={"spec": moved}))
    await world.reconcile()
    assert [each.spec for each in world.client.all(ModelService)] == [service.spec]
    assert [each.spec for each in world.client.all(ModelEndpoint)] == [endpoint.spec]


async def test_a_service_that_a_user_writes_meanwhile_is_not_taken_over() -> None:
    world = World(*fleet("us"))
    for cache in world.endpoints.reads:
        await world.client.relist(cache)
    world.client.put(OWN)
    with pytest.raises(ConflictError):
        await world.endpoints.reconcile(Key(NAMESPACE, PHI))
    assert [service.spec for service in world.client.all(ModelService)] == [OWN.spec]


async def test_a_model_that_is_placed_nowhere_has_no_service() -> None:
    world = World(workspace())
    await world.reconcile()
    assert world.client.all(ModelService) == []


async def test_reconciling_again_writes_nothing() -> None:
    world = World(*fleet("us", "eu"))
    await world.reconcile()
    world.client.writes_left = 0
    await world.reconcile()


async def test_an_endpoint_goes_with_its_work() -> None:
    world = World(*fleet("us", "eu"))
    await world.reconcile()
    await world.client.delete(work("us", workspace(), READY))
    await world.reconcile()
    assert [e.spec.cluster for e in world.client.all(ModelEndpoint)] == ["eu"]


async def test_what_a_placement_let_go_of_serves_until_its_work_is_gone() -> None:
    phi = workspace()
    left = binding("us", phi, BindingState.UNSCHEDULED)
    world = World(phi, snapshot(phi, 1), member("us"), left, work("us", phi, READY))
    await world.reconcile()
    assert world.states() == {"us": ("True", "Serving")}


async def test_a_member_without_a_gateway_has_no_endpoint_yet() -> None:
    phi = workspace()
    world = World(phi, member("us", gateway=False), binding("us", phi), work("us", phi, READY))
    await world.reconcile()
    assert world.client.all(ModelEndpoint) == []
