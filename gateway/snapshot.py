"""What is routed where, as one immutable value: made by the control process, read by workers."""

from msgspec import Struct


class Queue(Struct, frozen=True, gc=False, omit_defaults=True):
    """How requests wait when every endpoint has as many as it may."""

    length: int = 1000
    """That may wait; beyond, those of the lowest priority are sent away, the last first."""
    seconds: float = 30.0
    """That one may wait."""


class Endpoint(Struct, frozen=True, gc=False, omit_defaults=True):
    """One place that serves a model: a region, an external URL or, in a region, a pod."""

    name: str
    """`<namespace>/<name>` of the ModelEndpoint or the pod; keeps its state over swaps."""
    url: str
    """Base of the OpenAI API there; what follows `/v1` in a request's path is put after it."""
    model: str = ""
    """The name that it serves the model under; where empty, a request's own name stays."""
    region: str = ""
    ready: bool | None = None
    """What Kubernetes says: False is believed, unknown (None) is left to the probe."""
    probe: str = ""
    """URL that answers a GET below 500 while the place lives; where empty, nothing probes."""
    fleet: bool = False
    """A regional gateway: it gets the fleet's credential and the service's name."""
    places: int = 0
    """Requests that it may have at a time, from all workers together; 0 is no limit."""


class Service(Struct, frozen=True, gc=False, omit_defaults=True):
    name: str
    """`<namespace>/<name>`: what a regional gateway is asked for."""
    models: tuple[str, ...]
    """Names that clients may send, the one to show first. No two services share one."""
    endpoints: tuple[Endpoint, ...] = ()
    created: int = 0
    """Seconds since the epoch, as OpenAI's model objects have it."""
    listed: int = 1
    """How many of the names `GET /v1/models` lists."""
    queue: Queue = Queue()


class Snapshot(Struct, frozen=True, gc=False):
    services: tuple[Service, ...] = ()
