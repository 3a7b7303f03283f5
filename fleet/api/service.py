"""ModelService: what a client names, and ModelEndpoint: one place that serves it."""

from typing import ClassVar

from fleet.api.conditions import Condition
from fleet.api.objects import Model, Resource
from fleet.api.placement import Money


class ModelServiceSpec(Model):
    model: str
    """The name that clients send as `model`, one in the whole fleet."""
    aliases: tuple[str, ...] = ()


class ModelServiceStatus(Model):
    endpoints: int = 0
    ready_endpoints: int = 0
    usd_per_hour: Money | None = None
    conditions: tuple[Condition, ...] = ()


class ModelService(Resource):
    API: ClassVar = "modelfleet.dev/v1alpha1"

    spec: ModelServiceSpec
    status: ModelServiceStatus = ModelServiceStatus()


class ModelEndpointSpec(Model):
    service: str
    """The ModelService that it serves, in its own namespace."""
    url: str
    """Base of the OpenAI API there: `https://gateway.eu.example/v1`."""
    region: str = ""
    cluster: str = ""
    model: str = ""
    """The model's name there, where it is not the service's."""


class ModelEndpointStatus(Model):
    replicas: int = 0
    ready_replicas: int = 0
    usd_per_hour: Money | None = None
    conditions: tuple[Condition, ...] = ()


class ModelEndpoint(Resource):
    API: ClassVar = "modelfleet.dev/v1alpha1"

    spec: ModelEndpointSpec
    status: ModelEndpointStatus = ModelEndpointStatus()
