"""A ModelService sums up its endpoints, and says who has its name."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api.service import ModelEndpoint, ModelService
from fleet.engine.naming import claimed
from fleet.kube.cache import Cache
from fleet.testing.workloads import NOON, condition, metadata
from hub.controllers.services.observe import Claims
from hub.controllers.services.plan import Observed, lost
from hub.controllers.services.status import report
from tests.unit.gateway.control.objects import fleet_routes


def service(
    namespace: str = "demo",
    hours: int = 0,
    model: str = "phi",
    *aliases: str,
    name: str = "phi",
    going: bool = False,
) -> ModelService:
    created = NOON + timedelta(hours=hours)
    end = {"deletionTimestamp": NOON} if going else {}
    meta = metadata(name, namespace, creationTimestamp=created, **end)
    spec = {"model": model, "aliases": aliases}
    return ModelService.model_validate({"metadata": meta, "spec": spec})


def endpoint(cluster: str, ready: str, dollars: str | None = None) -> ModelEndpoint:
    status: dict[str, Any] = {"conditions": [condition("Ready", ready)]}
    if dollars:
        status["usdPerHour"] = dollars
    spec = {"service": "phi", "url": "http://x/v1", "cluster": cluster}
    return ModelEndpoint.model_validate(
        {"metadata": metadata(f"phi-{cluster}"), "spec": spec, "status": status}
    )


def observed(*endpoints: ModelEndpoint, rivals: tuple[ModelService, ...] = ()) -> Observed:
    return Observed(service=service(), endpoints=endpoints, rivals=rivals)


def conflict(mine: ModelService, *rivals: ModelService) -> tuple[str, str]:
    """Give the status of NameConflict, and what it says."""
    status = report(mine, observed(rivals=rivals), now=NOON)
    assert status
    (found,) = (c for c in status.conditions if c.type == "NameConflict")
    return found.status, found.message


@pytest.mark.parametrize(
    ("endpoints", "said"),
    [
        ([], ("False", "NoEndpoint")),
        ([endpoint("us", "False")], ("False", "NoReadyEndpoint")),
        ([endpoint("us", "Unknown"), endpoint("eu", "False")], ("Unknown", "EndpointsUnknown")),
        ([endpoint("us", "Unknown"), endpoint("eu", "True")], ("True", "Serving")),
    ],
)
def test_one_ready_place_is_enough(endpoints: list[ModelEndpoint], said: tuple[str, str]) -> None:
    status = report(service(), observed(*endpoints), now=NOON)
    assert status
    ready = next(c for c in status.conditions if c.type == "Ready")
    assert (ready.status, ready.reason) == said


def test_prices_are_summed_where_they_are_known() -> None:
    places = (endpoint("us", "True", "1.50"), endpoint("eu", "True", "2.25"), endpoint("x", "True"))
    status = report(service(), observed(*places), now=NOON)
    assert status
    assert (str(status.usd_per_hour), status.ready_endpoints) == ("3.75", 3)


@pytest.mark.parametrize(
    ("rival", "taken"),
    [
        (service("elder", -1), "True"),
        (service("elder", -1, name="other"), "True"),
        (service("elder", -1, "llama", "phi"), "True"),
        (service("elder", -1, "demo/phi"), "False"),
        (service("younger", 1), "False"),
        (service("also", 0), "True"),
        (service("zebra", 0), "False"),
        (service("elder", -1, "other"), "False"),
        (service("elder", -1, going=True), "False"),
    ],
    ids=[
        "an elder",
        "under another name",
        "by an alias",
        "by its full name",
        "a younger",
        "an equal before it",
        "an equal after it",
        "another model",
        "an elder that goes",
    ],
)
def test_of_two_that_claim_a_name_the_elder_has_it(rival: ModelService, taken: str) -> None:
    assert conflict(service(), rival)[0] == taken


@pytest.mark.parametrize(
    ("mine", "rivals", "words"),
    [
        (
            service("demo", 0, "phi", "p", "mine"),
            (service("a", -1), service("b", -1, "x", "p")),
            "a/phi has the name phi; ask for demo/phi. b/phi has the name p; ask for demo/p",
        ),
        (
            service(),
            (service(hours=-1, name="mine"),),
            "demo/mine has the name phi",
        ),
        (
            service("demo", -9, "org/phi"),
            (service("org", name="x"),),
            "org/x has the name org/phi; ask for demo/org/phi",
        ),
        (
            service("demo", 0, "phi", "phi"),
            (service("a", -1),),
            "a/phi has the name phi; ask for demo/phi",
        ),
    ],
    ids=["several names", "in one namespace", "another's full name", "said twice"],
)
def test_a_conflict_tells_who_has_which_name_and_what_to_ask_for_instead(
    mine: ModelService, rivals: tuple[ModelService, ...], words: str
) -> None:
    assert conflict(mine, *rivals) == ("True", words)


def test_of_very_many_lost_names_a_conflict_tells_a_few() -> None:
    names = [f"n{number}" for number in range(8)]
    said = conflict(service("demo", 0, *names), service("a", -1, *names))[1]
    assert said.count("ask for") == 5
    assert said.endswith("; ask for demo/n4. So it is with 3 more names")


NAMESPACES, NAMES = st.sampled_from(["a", "b", "org"]), ["phi", "qwen", "a/phi", "b/qwen", "org/x"]
SERVICES = st.builds(
    lambda namespace, hours, names, going: service(namespace, hours, *names, going=going),
    NAMESPACES,
    st.integers(-1, 1),
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=3),
    st.booleans(),
)


@given(st.lists(SERVICES, max_size=5))
def test_the_status_tells_just_the_names_that_are_not_routed(found: list[ModelService]) -> None:
    there = [
        each.model_copy(update={"metadata": each.metadata.model_copy(update={"name": f"s{place}"})})
        for place, each in enumerate(found)
    ]
    cache = Cache(ModelService)
    claims = Claims(cache)
    for each in there:
        cache.put(each.manifest())
    routed = {s.name: s.models for s in fleet_routes(there, (), {}).services}
    for each in there:
        told = {gone.name for gone in lost(each, claims.rivals(each.key))}
        assert told == set(claimed(each)) - set(routed[str(each.key)])


def test_a_status_is_not_said_twice() -> None:
    seen = observed(endpoint("us", "True", "1"))
    status = report(service(), seen, now=NOON)
    assert status
    said = service().model_copy(update={"status": status})
    assert report(said, seen, now=NOON + timedelta(hours=1)) is None
