"""A ModelService is reported as its endpoints are, on a server that keeps its state."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api.keys import Key
from fleet.api.service import ModelEndpoint, ModelService
from fleet.kube.cache import Cache
from fleet.kube.queue import WorkQueue
from fleet.testing.client import FakeClient
from fleet.testing.heard import Heard
from fleet.testing.workloads import NOON, condition, metadata
from hub.controllers.services.handlers import Services
from hub.controllers.services.observe import Claims, Reads

PHI = Key("demo", "phi")


def service(namespace: str = "demo", name: str = "phi", hours: int = 0, **spec: Any) -> Any:
    created = (NOON + timedelta(hours=hours)).isoformat()
    meta = metadata(name, namespace, creationTimestamp=created)
    return {
        "apiVersion": "modelfleet.dev/v1alpha1",
        "kind": "ModelService",
        "metadata": meta,
        "spec": {"model": "phi", **spec},
    }


def endpoint(cluster: str, ready: str = "True", **more: str) -> ModelEndpoint:
    spec = {"service": "phi", "url": "http://x/v1", "cluster": cluster, **more}
    status = {"conditions": [condition("Ready", ready)], "usdPerHour": "1.50"}
    meta = metadata(f"phi-{cluster}")
    return ModelEndpoint.model_validate({"metadata": meta, "spec": spec, "status": status})


class Board:
    def __init__(self, *resources: Any) -> None:
        self.client, self.heard = FakeClient(), Heard()
        for resource in resources:
            self.client.put(resource)
        self.reads = Reads(Cache(ModelService), Cache(ModelEndpoint))
        self.services = Services(
            client=self.client,
            reads=self.reads,
            claims=Claims(self.reads.services),
            clock=lambda: NOON,
            tell=self.heard.tell,
        )

    async def reconcile(self, key: Key = PHI) -> None:
        for cache in self.reads:
            await self.client.relist(cache)
        await self.services.reconcile(key)

    def queue(self) -> WorkQueue:
        """Let the controller hear of every change from now on."""
        queue = WorkQueue(lambda: 0.0)
        self.services.wake(queue)
        self.client.feed(*self.reads)
        return queue

    def service(self, namespace: str = "demo") -> ModelService:
        (found,) = (s for s in self.client.all(ModelService) if s.namespace == namespace)
        return found

    def said(self, kind: str, namespace: str = "demo") -> tuple[str, str]:
        conditions = self.service(namespace).status.conditions
        (found,) = (c for c in conditions if c.type == kind)
        return found.status, found.reason


async def woken(queue: WorkQueue) -> set[Key]:
    keys = [await queue.get() for _ in range(len(queue))]
    for key in keys:
        queue.done(key)
    return set(keys)


async def test_a_service_counts_its_endpoints_and_no_others() -> None:
    stranger = endpoint("apac", service="other")
    elsewhere = endpoint("us").manifest() | {"metadata": metadata("phi-us", "elsewhere")}
    board = Board(service(), endpoint("us"), endpoint("eu", "False"), stranger, elsewhere)
    await board.reconcile()
    status = board.service().status
    assert (status.endpoints, status.ready_endpoints, str(status.usd_per_hour)) == (2, 1, "3.00")
    assert board.said("Ready") == ("True", "Serving")


async def test_an_endpoint_on_its_way_out_serves_no_more() -> None:
    going = endpoint("us").manifest()
    going["metadata"] |= {"finalizers": ["x"], "deletionTimestamp": NOON.isoformat()}
    board = Board(service(), going)
    await board.reconcile()
    assert board.said("Ready") == ("False", "NoEndpoint")


async def test_what_a_user_wrote_stays_as_it_is() -> None:
    own = service(aliases=["p", "microsoft/phi"])
    board = Board(own, endpoint("us"))
    await board.reconcile()
    (body,) = board.client.bodies(ModelService)
    assert body["spec"] == own["spec"]


async def test_the_younger_of_two_namespaces_has_a_conflict_until_the_elder_lets_go() -> None:
    board = Board(service("elder", hours=-1), service())
    await board.reconcile()
    await board.reconcile(Key("elder", "phi"))
    assert board.said("NameConflict") == ("True", "NameTaken")
    assert board.said("NameConflict", "elder") == ("False", "NameFree")
    (taken,) = (c for c in board.service().status.conditions if c.type == "NameConflict")
    assert taken.message == "elder/phi has the name phi; ask for demo/phi"
    await board.client.delete(board.service("elder"))
    await board.reconcile()
    assert board.said("NameConflict") == ("False", "NameFree")


async def test_services_of_any_name_may_claim_the_same_model() -> None:
    elder = service("elder", "llama", hours=-1, model="llama", aliases=["phi"])
    board = Board(elder, service(aliases=["llama", "p"]))
    await board.reconcile()
    assert board.said("NameConflict") == ("True", "NameTaken")
    await board.reconcile(Key("elder", "llama"))
    assert board.said("NameConflict", "elder") == ("False", "NameFree")


async def test_an_elder_on_its_way_out_has_no_name_any_more() -> None:
    going = service("elder", hours=-1)
    going["metadata"] |= {"finalizers": ["x"], "deletionTimestamp": NOON.isoformat()}
    board = Board(going, service())
    await board.reconcile()
    assert board.said("NameConflict") == ("False", "NameFree")


async def test_a_service_that_is_gone_or_going_is_left_alone() -> None:
    going = service()
    going["metadata"] |= {"finalizers": ["x"], "deletionTimestamp": NOON.isoformat()}
    board = Board(going)
    await board.reconcile()
    await board.reconcile(Key("demo", "gone"))
    (body,) = board.client.bodies(ModelService)
    assert "status" not in body


@given(
    states=st.lists(st.sampled_from(["True", "False", "Unknown"]), max_size=3),
    rival=st.none() | st.integers(-1, 1),
)
async def test_reporting_again_writes_nothing(states: list[str], rival: int | None) -> None:
    places = [endpoint(f"c{number}", ready) for number, ready in enumerate(states)]
    rivals = [] if rival is None else [service("other", hours=rival)]
    board = Board(service(), *places, *rivals)
    await board.reconcile()
    board.client.writes_left = 0
    await board.reconcile()


BOTH = {PHI, Key("elder", "phi")}


@pytest.mark.parametrize(
    ("change", "concerned"),
    [
        (endpoint("us"), {PHI}),
        (service(hours=2, aliases=["x"]), {PHI, Key("elder", "phi")}),
        (service("third"), {PHI, Key("elder", "phi"), Key("third", "phi")}),
        (service("third", "x", aliases=["phi"], model="x"), {*BOTH, Key("third", "x")}),
        (service("elder", hours=-1, model="qwen"), BOTH),
        (service("elder", hours=-2), BOTH),
        (service("third", model="small"), {Key("third", "phi")}),
        (service("third", model="demo/phi"), {PHI, Key("third", "phi")}),
        (service() | {"status": {"endpoints": 7}}, {PHI}),
    ],
    ids=[
        "an endpoint",
        "its own spec",
        "a new claim",
        "an alias under another name",
        "a claim that is given up",
        "an age",
        "a name of its own",
        "a model called like another's full name",
        "a status",
    ],
)
async def test_all_that_a_change_concerns_are_looked_at(change: Any, concerned: set[Key]) -> None:
    board = Board(service("elder", hours=-1), service())
    await board.reconcile()
    queue = board.queue()
    board.client.put(change)
    assert await woken(queue) == concerned


async def test_all_that_claim_a_name_hear_that_it_is_free() -> None:
    board = Board(service("elder", hours=-1), service())
    await board.reconcile()
    queue = board.queue()
    await board.client.delete(board.service("elder"))
    assert await woken(queue) == BOTH


async def test_an_endpoint_that_changes_service_concerns_both() -> None:
    board = Board(service(), service(name="other"), endpoint("us"))
    queue = board.queue()
    await board.reconcile()
    await woken(queue)
    board.client.put(endpoint("us", service="other"))
    assert await woken(queue) == {PHI, Key("demo", "other")}
    board.client.put(endpoint("us", "False", service="other"))
    assert await woken(queue) == {Key("demo", "other")}
    await board.client.delete(endpoint("us", service="other"))
    assert await woken(queue) == {Key("demo", "other")}
    board.client.put(endpoint("us"))
    assert await woken(queue) == {PHI}


async def test_users_hear_of_a_service_that_serves_stops_serving_or_has_lost_its_name() -> None:
    board = Board(service(hours=1))
    await board.reconcile()
    assert board.heard.take() == []
    board.client.put(endpoint("us"))
    await board.reconcile()
    await board.reconcile()
    assert board.heard.take() == ["Serving"]
    board.client.put(endpoint("us", "False"))
    board.client.put(service("elder"))
    await board.reconcile()
    assert "elder/phi has the name phi; ask for demo/phi" in board.heard.messages
    assert board.heard.take() == ["NameConflict!", "NoReadyEndpoint!"]
