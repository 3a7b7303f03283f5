"""Endpoints, services and what a worker knows of them."""

from typing import Any

from gateway.policy.endpoint import Ejection, EndpointState
from gateway.snapshot import Endpoint, Service, Snapshot


def place(name: str = "demo/eu", **fields: Any) -> Endpoint:
    return Endpoint(**{"name": name, "url": f"http://{name.partition('/')[2]}/v1", **fields})


def known(name: str = "demo/eu", ejection: Ejection | None = None, **fields: Any) -> EndpointState:
    return EndpointState(place(name, **fields), ejection or Ejection())


def several(number: int) -> list[EndpointState]:
    return [known(f"demo/{index}") for index in range(number)]


def service(name: str = "demo/phi", *endpoints: Endpoint, **fields: Any) -> Service:
    models = fields.pop("models", (name.partition("/")[2],))
    return Service(name=name, models=models, endpoints=endpoints, **fields)


def table(*services: Service) -> Snapshot:
    return Snapshot(services)
