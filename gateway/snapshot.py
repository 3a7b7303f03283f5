"""What is routed where, as one immutable value: made by the control process, read by workers."""

from msgspec import Struct


class Queue(Struct, frozen=True, gc=False, omit_defaults=True):
    """How requests wait when every endpoint has as many as it may."""

    length: int = 1000
    """That may wait; beyond, those of the lowest priority are sent away, the last first."""
    seconds: float = 30.0
    """That one may wait."""


class Tls(Struct, frozen=True, gc=False, omit_defaults=True):
    """How an external endpoint is met; files lie below the folder of credentials."""

    server_name: str = ""
    """What its certificate names, where that is not the URL's host."""
    authority: str = ""
    """Certificates that it is trusted by; where empty, the system's and the gateway's."""
    certificate: str = ""
    """Folder with `tls.crt` and `tls.key`, which it is shown."""


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
    metrics: str = ""
    """URL of an engine's metrics, which tell its queue and its cache; regions tell theirs by
    their probe."""
    fleet: bool = False
    """A regional gateway: it gets the fleet's credential and the service's name."""
    places: int = 0
    """Requests that it may have at a time, from all workers together; 0 is no limit."""
    priority: int = 0
    """Endpoints of a higher number are for when those of the lower ones are lost or full."""
    weight: int = 1
    """Share of requests, against others of its priority; 0: only what a rule sends there."""
    credential: str = ""
    """File below the folder of credentials that holds the key to show there."""
    tls: Tls | None = None
    price: tuple[float, float] = (0.0, 0.0)
    """US dollars for a million tokens, of prompts and of answers."""
    cost: tuple[float, float] = (0.0, 0.0)
    """What it is ranked by among those of its priority, the cheaper first: the price of tokens,
    then of an hour; all are alike where costs do not count."""
    adapters: tuple[str, ...] = ()
    """Models that it serves beside its own, under names of their own."""


class Rule(Struct, frozen=True, gc=False):
    """Requests with these headers go to these endpoints and to no other."""

    headers: tuple[tuple[str, str], ...]
    """Names in lower case, and values; an empty value is any."""
    endpoints: tuple[str, ...]


class Shadow(Struct, frozen=True, gc=False):
    """A share of requests goes to these endpoints as well; nobody sees their answers."""

    percent: float
    endpoints: tuple[str, ...]


class Affinity(Struct, frozen=True, gc=False, omit_defaults=True):
    """Requests that are alike go to the same endpoint, as long as it does not get far too many."""

    header: str = ""
    """Whose value tells sessions apart, in lower case."""
    prefix: int = 0
    """Bytes of a prompt's head that tell requests apart which name no session."""


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
    adapters: tuple[tuple[str, str], ...] = ()
    """Those of the names that are adapters', each with the engines' name for it."""
    queue: Queue = Queue()
    rules: tuple[Rule, ...] = ()
    """The first that fits counts."""
    shadow: Shadow | None = None
    affinity: Affinity | None = None
    hedge: float | None = None
    """Seconds without an answer after which a second endpoint is asked as well; 0: as long as one
    answer in a hundred takes; None: never."""
    continues: bool = False
    """Whether a stream that is cut goes on at another endpoint: all of them return token ids."""


class Snapshot(Struct, frozen=True, gc=False):
    services: tuple[Service, ...] = ()
