"""A new snapshot is taken up as a whole; an endpoint that stays keeps what is known of it."""

from gateway.policy.endpoint import Ejection, Failure
from gateway.routes import Routes
from tests.unit.gateway.places import place, service, table

NOW = 1000.0


def test_before_the_first_snapshot_nothing_is_known() -> None:
    routes = Routes(Ejection())
    assert not routes.known
    routes.swap(table(), NOW)
    assert routes.known
    assert (routes.by_model, routes.by_service, routes.states) == ({}, {}, {})


def test_a_service_is_found_by_every_name() -> None:
    routes = Routes(Ejection())
    phi = service("demo/phi", place(), models=("phi", "small", "demo/phi"))
    routes.swap(table(phi, service("demo/qwen")), NOW)
    assert set(routes.by_model) == {"phi", "small", "demo/phi", "qwen"}
    assert {routes.by_model[name].service for name in phi.models} == {phi}
    assert set(routes.by_service) == {"demo/phi", "demo/qwen"}
    assert [state.endpoint.name for state in routes.by_service["demo/phi"].states] == ["demo/eu"]


def test_an_endpoint_that_stays_keeps_its_load_and_its_failures() -> None:
    routes = Routes(Ejection())
    routes.swap(table(service("demo/phi", place(ready=True))), NOW)
    state = routes.states["demo/eu"]
    state.in_flight = 3
    state.failed(Failure.SLOW, 100.0)
    routes.swap(table(service("demo/other", place(ready=False, model="new"))), NOW)
    assert routes.states["demo/eu"] is state
    assert (state.in_flight, state.ejected_until) == (3, 105.0)
    assert (state.endpoint.ready, state.endpoint.model) == (False, "new")
    assert routes.by_service["demo/other"].states == (state,)


def test_another_place_under_an_old_name_begins_anew() -> None:
    routes = Routes(Ejection())
    routes.swap(table(service("demo/phi", place(url="http://10.0.0.1/v1"))), NOW)
    routes.probed({"demo/eu": False}, 1.0)
    routes.swap(table(service("demo/phi", place(url="http://10.0.0.2/v1"))), NOW)
    assert routes.states["demo/eu"].up is None


def test_what_a_snapshot_lacks_is_gone() -> None:
    routes = Routes(Ejection())
    routes.swap(table(service("demo/phi", place("demo/eu"), place("demo/us"))), NOW)
    routes.swap(table(service("demo/phi", place("demo/us"))), NOW)
    assert set(routes.states) == {"demo/us"}
    routes.swap(table(), NOW)
    assert (routes.by_model, routes.by_service, routes.states) == ({}, {}, {})


def test_probes_tell_once_who_went_down() -> None:
    routes = Routes(Ejection())
    routes.swap(table(service("demo/phi", place("demo/eu"), place("demo/us"))), NOW)
    eu, us = routes.states["demo/eu"], routes.states["demo/us"]
    assert routes.probed({"demo/eu": True, "demo/us": False, "demo/gone": False}, 1.0) == [us]
    assert (eu.up, us.up) == (True, False)
    assert routes.probed({"demo/us": False}, 2.0) == []
    assert routes.probed({"demo/us": True}, 3.0) == []
    assert routes.probed({"demo/us": False}, 4.0) == [us]


def test_a_round_that_leaves_an_endpoint_out_says_nothing_of_it() -> None:
    routes = Routes(Ejection())
    routes.swap(table(service("demo/phi", place("demo/eu"), place("demo/us"))), NOW)
    routes.probed({"demo/eu": False}, 1.0)
    routes.probed({"demo/us": True}, 2.0)
    assert routes.states["demo/eu"].up is False
