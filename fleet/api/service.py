"""ModelService: what a client names, and ModelEndpoint: one place that serves it."""

from typing import Annotated, ClassVar

from fleet.api.conditions import Condition
from fleet.api.money import Money
from fleet.api.objects import Model, Resource
from fleet.api.schema import LABEL, LIST, NAME, Rule, Schema
from fleet.api.traffic import Traffic

_NAME = "^[A-Za-z0-9][A-Za-z0-9._-]*$"


class Admission(Model):
    """How many requests are served at a time, and how others wait."""

    max_in_flight_per_replica: Annotated[int | None, Schema(minimum=1, maximum=100_000)] = None
    """Requests that the fleet's endpoints get at a time for each ready replica; without it as many
    as come."""
    queue_length: Annotated[int, Schema(minimum=0, maximum=100_000)] = 1000
    """Requests that may wait for a place; the least urgent of more are refused (429)."""
    queue_seconds: Annotated[int, Schema(minimum=1, maximum=3600)] = 30
    """Seconds that one may wait."""


class Hedging(Model):
    """A second endpoint is asked as well when the first is slow; the first answer counts."""

    after_milliseconds: Annotated[int | None, Schema(minimum=1, maximum=600_000)] = None
    """How long the first may take; without it as long as one answer in a hundred takes."""


class ModelServiceSpec(Model):
    """What clients call a model by."""

    model: Annotated[str, NAME, Schema(min_length=1)]
    """The name that clients send as `model`, one in the whole fleet."""
    aliases: Annotated[tuple[Annotated[str, NAME], ...], LIST] = ()
    """Further names."""
    adapters: Annotated[tuple[Annotated[str, NAME], ...], LIST] = ()
    """LoRA adapters that its engines serve as models of their own: names that clients send too, and
    that reach only the endpoints which have them."""
    admission: Admission = Admission()
    """How many requests are served at a time, and how others wait."""
    traffic: Traffic = Traffic()
    """How requests are spread over the endpoints."""
    hedging: Hedging | None = None
    """Set, it has a second endpoint asked when the first is slow: quicker, at the price of work
    done twice."""
    continuation: bool = False
    """A stream that is cut goes on at another endpoint, token for token. All endpoints must return
    token ids when they are asked to (`return_token_ids`, as vLLM does)."""


class ModelServiceStatus(Model):
    """Who serves it."""

    endpoints: int = 0
    """Places that serve the model."""
    ready_endpoints: int = 0
    """Those of them that take requests."""
    usd_per_hour: Money | None = None
    """What all of them cost, in US dollars an hour."""
    conditions: tuple[Condition, ...] = ()
    """Whether the model answers, and why not."""


class ModelService(Resource):
    """A model as clients know it; its ModelEndpoints serve it."""

    API: ClassVar = "modelfleet.dev/v1alpha1"

    spec: ModelServiceSpec
    """What clients call it by."""
    status: ModelServiceStatus = ModelServiceStatus()
    """Who serves it."""


class EndpointCredential(Model):
    """A key that an external endpoint asks for."""

    secret: Annotated[str, NAME, Schema(min_length=1, pattern=_NAME)]
    """The Secret that holds it, in the same namespace; the gateway has it mounted."""
    key: Annotated[str, NAME, Schema(min_length=1, pattern=_NAME)] = "apiKey"
    """Its key in the Secret."""


class EndpointAuthority(Model):
    """Certificates that an external endpoint is trusted by."""

    secret: Annotated[str, NAME, Schema(min_length=1, pattern=_NAME)]
    """The Secret that holds them, in the same namespace; the gateway has it mounted."""
    key: Annotated[str, NAME, Schema(min_length=1, pattern=_NAME)] = "ca.crt"
    """Their key in the Secret: certificates in PEM."""


class EndpointTls(Model):
    """How an external endpoint is met, where its certificate is not one that everybody trusts."""

    server_name: Annotated[str, NAME] = ""
    """The name that its certificate has, where that is not the URL's host."""
    authority: EndpointAuthority | None = None
    """What it is trusted by; without it the system's authorities, and those that the gateway
    trusts."""
    certificate_secret: Annotated[str, NAME, Schema(pattern=f"^({_NAME[1:-1]})?$")] = ""
    """The Secret with `tls.crt` and `tls.key` that it is shown, where it asks for a certificate."""


class TokenPrice(Model):
    """What tokens cost, in US dollars a million."""

    input_per_million: Money
    """Tokens of the prompt."""
    output_per_million: Money
    """Tokens of the answer."""


class ModelEndpointSpec(Model):
    """Where a model is served."""

    RULES: ClassVar = (
        Rule(
            "!has(self.price) || !has(self.cluster) || self.cluster == ''",
            "price is for external endpoints: clusters of the fleet cost by the hour",
            field="price",
        ),
        Rule(
            "!has(self.tls) || !has(self.cluster) || self.cluster == ''",
            "tls is for external endpoints: clusters of the fleet have the fleet's certificates",
            field="tls",
        ),
        Rule(
            "!has(self.tls) || self.url.startsWith('https://')",
            "url must begin with https:// where there is tls",
            field="url",
        ),
        Rule(
            "!has(self.credential) || !has(self.cluster) || self.cluster == ''",
            "credential is for external endpoints: clusters of the fleet get the fleet's own",
            field="credential",
        ),
        Rule(
            "!has(self.credential) || self.url.startsWith('https://')",
            "url must begin with https:// where there is a credential, which others could read",
            field="url",
        ),
    )

    service: Annotated[str, LABEL]
    """The ModelService that it serves, in its own namespace."""
    url: Annotated[str, Schema(max_length=2048, pattern="^https?://")]
    """Base of the OpenAI API there: `https://gateway.eu.example/v1`."""
    region: Annotated[str, LABEL] = ""
    """Region that it is in, if it is known."""
    cluster: Annotated[str, LABEL] = ""
    """Cluster of the fleet that it is in; none for an external one."""
    model: Annotated[str, NAME] = ""
    """The model's name there, where it is not the service's."""
    max_in_flight: Annotated[int | None, Schema(minimum=1, maximum=100_000)] = None
    """Requests that it gets at a time; without it what the service says, or as many as come."""
    weight: Annotated[int, Schema(minimum=0, maximum=1000)] = 1
    """Share of requests, against other endpoints of its priority; with 0 it gets only what a rule
    sends it. What the service says of it comes first."""
    priority: Annotated[int, Schema(minimum=0, maximum=9)] = 0
    """With a higher number than others it gets requests when those are lost or full. What the
    service says of it comes first."""
    credential: EndpointCredential | None = None
    """The key that an external endpoint asks for."""
    tls: EndpointTls | None = None
    """How an external endpoint is met, where its certificate is not one that everybody trusts."""
    price: TokenPrice | None = None
    """What an external endpoint takes for tokens."""
    adapters: Annotated[tuple[Annotated[str, NAME], ...], LIST] = ()
    """LoRA adapters that it serves as models of their own; the service names them too."""


class ModelEndpointStatus(Model):
    """How the place does."""

    replicas: int = 0
    """Replicas that are there."""
    ready_replicas: int = 0
    """Replicas that serve."""
    usd_per_hour: Money | None = None
    """What they cost, in US dollars an hour."""
    conditions: tuple[Condition, ...] = ()
    """Whether it takes requests, and why not."""


class ModelEndpoint(Resource):
    """One place that serves a model: a region of the fleet, or an external OpenAI API."""

    API: ClassVar = "modelfleet.dev/v1alpha1"

    spec: ModelEndpointSpec
    """Where it is."""
    status: ModelEndpointStatus = ModelEndpointStatus()
    """How it does."""
