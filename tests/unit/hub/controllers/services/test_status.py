"""A ModelService sums up its endpoints, and says who has its name."""

from datetime import timedelta
from typing import Any

import pytest

from fleet.api.service import ModelEndpoint, ModelService
from fleet.testing.workloads import NOON, condition, metadata
from hub.controllers.services.plan import Observed
from hub.controllers.services.status import report


def service(namespace: str = "demo", hours: int = 0, model: str = "phi") -> ModelService:
    created = NOON + timedelta(hours=hours)
    meta = metadata("phi", namespace, creationTimestamp=created)
    return ModelService.model_validate({"metadata": meta, "spec": {"model": model}})


def endpoint(cluster: str, ready: str, dollars: str | None = None) -> ModelEndpoint:
    status: dict[str, Any] = {"conditions": [condition("Ready", ready)]}
    if dollars:
        status["usdPerHour"] = dollars
    spec = {"service": "phi", "url": "http://x/v1", "cluster": cluster}
    return ModelEndpoint.model_validate(
        {"metadata": metadata(f"phi-{cluster}"), "spec": spec, "status": status}
    )


def observed(*endpoints: ModelEndpoint, namesakes: tuple[ModelService, ...] = ()) -> Observed:
    return Observed(service=service(), endpoints=endpoints, namesakes=namesakes)


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
    ("namesake", "conflict"),
    [
        (service("elder", -1), "True"),
        (service("younger", 1), "False"),
        (service("also", 0), "True"),
        (service("zebra", 0), "False"),
        (service("elder", -1, model="other"), "False"),
    ],
    ids=["an elder", "a younger", "an equal before it", "an equal after it", "another model"],
)
def test_of_two_that_claim_a_name_the_elder_has_it(namesake: ModelService, conflict: str) -> None:
    status = report(service(), observed(namesakes=(namesake,)), now=NOON)
    assert status
    assert next(c.status for c in status.conditions if c.type == "NameConflict") == conflict


def test_a_status_is_not_said_twice() -> None:
    seen = observed(endpoint("us", "True", "1"))
    status = report(service(), seen, now=NOON)
    assert status
    said = service().model_copy(update={"status": status})
    assert report(said, seen, now=NOON + timedelta(hours=1)) is None
