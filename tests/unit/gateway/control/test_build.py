"""Routes are what the objects say, and nobody gets what is another's."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api import names
from fleet.api.core import Pod
from fleet.api.service import ModelEndpointStatus
from fleet.testing.workloads import NOON
from gateway.snapshot import Affinity, Endpoint, Queue, Rule, Service, Shadow, Tls
from tests.unit.gateway.control.objects import endpoint, fleet_routes, pod, pod_routes, service

GATEWAYS = {"eu": "https://eu.example/v1", "us": "https://us.example:8443/v1/"}


def places(*endpoints: Any, **gateways: str) -> tuple[Endpoint, ...]:
    """Give where the one service is served."""
    (routed,) = fleet_routes([service()], endpoints, gateways or GATEWAYS).services
    return routed.endpoints


def test_a_service_is_routed_to_its_regions_and_to_external_places() -> None:
    external = endpoint("azure", "https://api.example/openai/v1/", model="gpt", ready="False")
    regional = endpoint(cluster="eu", region="northeurope", ready="True")
    stranger = endpoint("other", namespace="elsewhere")
    unserved = endpoint("lost", service="nobody")
    snapshot = fleet_routes([service()], [regional, external, stranger, unserved], GATEWAYS)
    assert snapshot.services == (
        Service(
            name="demo/phi",
            models=("phi", "demo/phi"),
            created=int(NOON.timestamp()),
            endpoints=(
                Endpoint(
                    name="demo/azure",
                    url="https://api.example/openai/v1",
                    model="gpt",
                    ready=False,
                    probe="https://api.example/openai/v1/models",
                ),
                Endpoint(
                    name="demo/phi-eu",
                    url="https://eu.example/v1",
                    model="phi",
                    region="northeurope",
                    ready=True,
                    probe="https://eu.example/-/load",
                    fleet=True,
                ),
            ),
        ),
    )


SPREAD = {
    "targets": [
        {"endpoints": ["phi-v2-*"], "weight": 5},
        {"regions": ["northeurope"], "priority": 1},
        {"clusters": ["us"], "weight": 0, "priority": 2},
    ],
    "rules": [
        {"headers": [{"name": "X-Tenant", "value": "a"}, {"name": "x-b"}], "clusters": ["us"]},
        {"headers": [{"name": "x-c"}], "endpoints": ["none"], "regions": ["us"]},
    ],
    "shadow": {"percent": 10, "endpoints": ["phi-v2-*"]},
    "affinity": {"header": "X-Session", "prefixBytes": 512},
}


def test_a_service_says_how_its_requests_are_spread() -> None:
    phi = service(traffic=SPREAD)
    endpoints = [
        endpoint("phi-eu", cluster="eu", region="northeurope"),
        endpoint("phi-us", url="https://us.example:8443/v1", cluster="us"),
        endpoint("phi-v2-eu", cluster="eu", region="northeurope"),
        endpoint("spare", weight=7, priority=9),
    ]
    (routed,) = fleet_routes([phi], endpoints, GATEWAYS).services
    spread = {each.name: (each.weight, each.priority) for each in routed.endpoints}
    assert spread == {
        "demo/phi-eu": (1, 1),
        "demo/phi-us": (0, 2),
        "demo/phi-v2-eu": (5, 0),
        "demo/spare": (7, 9),
    }
    assert routed.rules == (
        Rule((("x-tenant", "a"), ("x-b", "")), ("demo/phi-us",)),
        Rule((("x-c", ""),), ("demo/phi-us",)),
    )
    assert routed.shadow == Shadow(10, ("demo/phi-v2-eu",))
    assert routed.affinity == Affinity("x-session", 512)


@pytest.mark.parametrize(
    ("url", "expected"),
    [("https://api.example/v1", "demo/bought/apiKey"), ("http://api.example/v1", None)],
)
def test_a_credential_is_named_by_its_file_and_goes_nowhere_where_it_could_be_read(
    url: str, expected: str | None
) -> None:
    found = places(endpoint(url=url, credential={"secret": "bought"}))
    assert [each.credential for each in found] == ([expected] if expected else [])


def test_an_external_endpoint_may_have_certificates_of_its_own_and_a_price() -> None:
    tls = {"serverName": "api", "authority": {"secret": "ca"}, "certificateSecret": "pair"}
    price = {"inputPerMillion": "0.5", "outputPerMillion": "2"}
    (found,) = places(endpoint("bought", tls=tls, price=price))
    assert found.tls == Tls("api", "demo/ca/ca.crt", "demo/pair")
    assert (found.price, found.cost) == ((0.5, 2.0), (0.0, 0.0))


def test_where_costs_count_the_fleet_comes_first_by_the_hour_and_others_by_their_tokens() -> None:
    bought = endpoint(
        "bought",
        url="https://api.example/v1",
        price={"inputPerMillion": "1", "outputPerMillion": "3"},
    )
    told = ModelEndpointStatus(usd_per_hour=Decimal("7.34"), replicas=2)
    ours = endpoint("eu", cluster="eu").model_copy(update={"status": told})
    cheap = service(traffic={"cheapestFirst": True})
    (routed,) = fleet_routes([cheap], [bought, ours], GATEWAYS).services
    costs = {each.name: each.cost for each in routed.endpoints}
    assert costs == {"demo/bought": (1.5, 0.0), "demo/eu": (0.0, 3.67)}


def test_adapters_are_names_that_reach_the_endpoints_which_have_them() -> None:
    tuned, other = service("phi", adapters=["sql", "taken"]), service("qwen", "taken", age=9)
    having, bare = endpoint("eu", adapters=["sql"]), endpoint("us")
    _, routed = fleet_routes([tuned, other], [having, bare], {}).services
    assert routed.name == "demo/qwen"
    (routed, _) = fleet_routes([tuned, other], [having, bare], {}).services
    assert routed.models == ("phi", "sql", "demo/phi", "demo/sql")
    assert (routed.listed, routed.adapters) == (2, (("sql", "sql"), ("demo/sql", "sql")))
    assert [each.adapters for each in routed.endpoints] == [("sql",), ()]


def test_a_pod_tells_its_adapters() -> None:
    notes = {"annotations": {names.MODEL: "phi-4", names.ADAPTERS: "sql,law"}}
    (routed,) = pod_routes([pod("phi-0", metadata=notes), pod("phi-1")], "eu").services
    assert routed.models[:3] == ("phi-4", "sql", "law")
    assert ("demo/law", "law") in routed.adapters
    assert [each.adapters for each in routed.endpoints] == [("sql", "law"), ()]


@pytest.mark.parametrize(
    ("hedging", "expected"), [(None, None), ({}, 0), ({"afterMilliseconds": 250}, 0.25)]
)
def test_a_service_may_want_a_second_endpoint_asked(
    hedging: dict[str, int] | None, expected: float | None
) -> None:
    (routed,) = fleet_routes([service(hedging=hedging)], (), GATEWAYS).services
    assert routed.hedge == expected


def test_places_are_those_of_the_endpoint_or_of_its_ready_replicas() -> None:
    phi = service(admission={"maxInFlightPerReplica": 8, "queueLength": 5, "queueSeconds": 3})
    endpoints = [
        endpoint("a", cluster="eu", replicas=3),
        endpoint("b", cluster="eu"),
        endpoint("c", cluster="eu", replicas=3, maxInFlight=4),
        endpoint("d"),
        endpoint("e", maxInFlight=2),
    ]
    (routed,) = fleet_routes([phi], endpoints, GATEWAYS).services
    assert [each.places for each in routed.endpoints] == [24, 8, 4, 0, 2]
    assert routed.queue == Queue(5, 3)


@pytest.mark.parametrize(
    ("url", "cluster"),
    [
        ("https://thief.example/v1", "eu"),
        ("https://eu.example", "eu"),
        ("https://eu.example/v1/more", "eu"),
        ("https://eu.example@thief.example/v1", "eu"),
        ("http://eu.example/v1", "eu"),
        ("https://eu.example/v1", "us"),
        ("https://eu.example/v1", "nowhere"),
    ],
)
def test_a_url_that_is_not_the_members_own_gateway_gets_neither_traffic_nor_credential(
    url: str, cluster: str
) -> None:
    assert places(endpoint(url=url, cluster=cluster)) == ()


def test_a_member_without_a_gateway_is_not_routed_to() -> None:
    assert places(endpoint(cluster="eu"), eu="", us="https://us.example/v1") == ()


@pytest.mark.parametrize(
    ("url", "routed"),
    [
        ("http://eu.example/v1", False),
        ("http://10.0.0.1:8080/v1", False),
        ("http://localhost.example/v1", False),
        ("http://127.0.0.1:8080/v1", True),
        ("http://[::1]:8080/v1", True),
        ("http://localhost:8080/v1", True),
        ("https://10.0.0.1:8443/v1", True),
    ],
)
def test_a_region_whose_credential_could_be_read_on_its_way_is_not_routed_to(
    url: str, *, routed: bool
) -> None:
    assert bool(places(endpoint(url=url, cluster="eu"), eu=url)) is routed


@pytest.mark.parametrize("slashes", ["", "/"])
def test_a_members_url_may_end_in_a_slash_or_not(slashes: str) -> None:
    (found,) = places(endpoint(url=f"https://us.example:8443/v1{slashes}", cluster="us"))
    assert (found.url, found.fleet) == ("https://us.example:8443/v1", True)
    assert found.probe == "https://us.example:8443/-/load"
    assert found.region == "us"


def test_a_place_outside_the_fleet_never_gets_the_credential() -> None:
    (found,) = places(endpoint(url="https://eu.example/v1"))
    assert not found.fleet


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///v1",
        "http://a..b/v1",
        f"http://{'a' * 64}.example/v1",
        "http://[bad/v1",
        "http://example:65536/v1",
        "http://example:0/v1",
        "http://example:http/v1",
    ],
)
@pytest.mark.parametrize("cluster", ["", "eu"])
def test_a_url_that_nobody_can_be_reached_by_harms_nobody_else(url: str, cluster: str) -> None:
    bad, good = endpoint("bad", url, cluster=cluster), endpoint("good", "http://x/v1")
    assert [found.name for found in places(bad, good, eu=url)] == ["demo/good"]


@pytest.mark.parametrize(
    ("condition", "ready"), [("True", True), ("False", False), ("Unknown", None), ("", None)]
)
def test_unknown_is_left_to_the_probe(condition: str, ready: bool | None) -> None:
    (found,) = places(endpoint(ready=condition))
    assert found.ready is ready


@pytest.mark.parametrize(("own", "model"), [("", "phi"), ("gpt-4o", "gpt-4o")])
def test_an_endpoint_may_serve_under_a_name_of_its_own(own: str, model: str) -> None:
    (found,) = places(endpoint(model=own))
    assert found.model == model


def test_a_service_without_endpoints_is_known_all_the_same() -> None:
    assert places() == ()


def models(*services: Any) -> dict[str, tuple[str, ...]]:
    return {routed.name: routed.models for routed in fleet_routes(services, (), {}).services}


def listed(*services: Any) -> dict[str, tuple[str, ...]]:
    routed = fleet_routes(services, (), {}).services
    return {service.name: service.models[: service.listed] for service in routed}


def test_of_two_that_claim_a_name_the_younger_is_reached_by_its_namespace() -> None:
    claims = [service(namespace="a", age=1), service(namespace="b", age=2)]
    assert models(*claims) == {"a/phi": ("a/phi",), "b/phi": ("phi", "b/phi")}
    assert listed(*claims) == {"a/phi": ("a/phi",), "b/phi": ("phi",)}


def test_of_two_of_one_age_the_first_by_name_has_the_name() -> None:
    claims = [service(namespace="b"), service(namespace="a")]
    assert models(*claims) == {"a/phi": ("phi", "a/phi"), "b/phi": ("b/phi",)}


def test_aliases_are_names_too_and_the_model_itself_comes_first() -> None:
    elder = service("qwen", "org/Qwen-2", "best", "qwen", namespace="a", age=9)
    younger = service("phi", "phi", "best", "small", namespace="b")
    assert models(elder, younger) == {
        "a/qwen": ("org/Qwen-2", "best", "qwen", "a/org/Qwen-2", "a/best", "a/qwen"),
        "b/phi": ("phi", "small", "b/phi", "b/best", "b/small"),
    }


def test_one_that_keeps_only_aliases_lists_its_full_name_too() -> None:
    elder, younger = service(namespace="a", age=9), service("phi", "phi", "small", namespace="b")
    assert listed(elder, younger)["b/phi"] == ("small", "b/phi")


def test_nobody_takes_a_full_name_by_calling_a_model_so() -> None:
    thief = service("thief", "demo/phi", namespace="evil", age=99)
    found = models(thief, service())
    assert found == {"evil/thief": ("evil/demo/phi",), "demo/phi": ("phi", "demo/phi")}
    assert listed(thief, service())["evil/thief"] == ("evil/demo/phi",)


def served(*pods: Pod) -> dict[str, list[str]]:
    routed = pod_routes(pods, "northeurope").services
    return {service.name: [place.name for place in service.endpoints] for service in routed}


def test_a_pod_serves_its_service() -> None:
    assert pod_routes([pod()], "northeurope").services == (
        Service(
            name="demo/phi",
            models=("phi-4", "demo/phi-4"),
            endpoints=(
                Endpoint(
                    name="demo/phi-0",
                    url="http://127.1.0.1:5000/v1",
                    model="phi-4",
                    region="northeurope",
                    ready=True,
                    probe="http://127.1.0.1:5000/health",
                    metrics="http://127.1.0.1:5000/metrics",
                ),
            ),
        ),
    )


@pytest.mark.parametrize(
    "other",
    [
        {"index": "1"},
        {"index": "00"},
        {"index": ""},
        {"service": ""},
        {"ip": ""},
        {"ports": ()},
    ],
)
def test_a_pod_that_serves_nobody_is_left_out(other: dict[str, Any]) -> None:
    assert served(pod("phi-1", **other), pod()) == {"demo/phi": ["demo/phi-0"]}


@pytest.mark.parametrize(
    ("ready", "metadata", "picked"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"deletionTimestamp": NOON}, False),
    ],
)
def test_a_pod_that_is_not_ready_or_on_its_way_out_gets_nothing(
    *, ready: bool, metadata: dict[str, Any], picked: bool
) -> None:
    (routed,) = pod_routes([pod(ready=ready, metadata=metadata)], "").services
    assert routed.endpoints[0].ready is picked


def test_pods_of_other_services_and_namespaces_are_apart() -> None:
    pods = [
        pod("b-0", service="qwen"),
        pod("a-0", namespace="other"),
        pod("z-0"),
        pod("c-0"),
    ]
    assert served(*pods) == {
        "demo/qwen": ["demo/b-0"],
        "demo/phi": ["demo/c-0", "demo/z-0"],
        "other/phi": ["other/a-0"],
    }


def test_a_pod_that_names_no_model_keeps_the_requests_own() -> None:
    (routed,) = pod_routes([pod(model="")], "").services
    assert routed.models == ("phi", "demo/phi")
    assert routed.endpoints[0].model == ""


def test_an_ipv6_pod_is_reached_in_brackets() -> None:
    (routed,) = pod_routes([pod(ip="fd00::1")], "").services
    assert routed.endpoints[0].url == "http://[fd00::1]:5000/v1"


@given(st.permutations([pod("a-0"), pod("b-0"), pod("c-0", service="qwen")]))
def test_the_order_of_pods_does_not_matter(pods: list[Pod]) -> None:
    assert pod_routes(pods, "") == pod_routes(sorted(pods, key=lambda each: each.key), "")


SERVICES = [service(namespace="a", age=1), service(namespace="b"), service("qwen", "q", "phi")]
ENDPOINTS = [endpoint(name, namespace=where) for name in "yx" for where in "ab"]


@given(st.permutations(SERVICES), st.permutations(ENDPOINTS))
def test_the_order_of_services_and_endpoints_does_not_matter(
    services: list[Any], endpoints: list[Any]
) -> None:
    assert fleet_routes(services, endpoints, {}) == fleet_routes(SERVICES, ENDPOINTS, {})
