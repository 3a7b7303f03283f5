"""How requests for a model are spread over the endpoints that serve it."""

from typing import Annotated, ClassVar

from fleet.api.objects import Model
from fleet.api.schema import LABEL, LIST, NAME, REQUIRED, Rule, Schema

_SEVERAL = Schema(max_items=50)
_SHARE = Schema(minimum=0, maximum=1000)
_LAYER = Schema(minimum=0, maximum=9)
_HEADER = Schema(min_length=1, max_length=64, pattern="^[A-Za-z0-9-]+$")


class EndpointSelector(Model):
    """Selects endpoints of a service: those that any of its lists names."""

    RULES: ClassVar = (
        Rule(
            "(has(self.endpoints) && size(self.endpoints) > 0)"
            " || (has(self.regions) && size(self.regions) > 0)"
            " || (has(self.clusters) && size(self.clusters) > 0)",
            "name at least one of endpoints, regions or clusters",
        ),
    )

    endpoints: Annotated[tuple[Annotated[str, NAME], ...], LIST] = ()
    """Names of ModelEndpoints; `phi-v2-*` stands for all whose names begin so."""
    regions: Annotated[tuple[Annotated[str, LABEL], ...], LIST] = ()
    """Regions of endpoints."""
    clusters: Annotated[tuple[Annotated[str, LABEL], ...], LIST] = ()
    """Clusters of endpoints."""


class TrafficTarget(EndpointSelector):
    """What share of requests some endpoints get, and when."""

    weight: Annotated[int | None, _SHARE] = None
    """Share of each of them, against others of the same priority; with 0 they get only what a rule
    sends them. Without it the endpoint's own counts."""
    priority: Annotated[int | None, _LAYER] = None
    """Those of a higher number get requests when those of lower ones are lost or full. Without it
    the endpoint's own counts."""


class HeaderMatch(Model):
    """A header that a request must have."""

    name: Annotated[str, _HEADER]
    """Its name, in any case."""
    value: Annotated[str, NAME] = ""
    """Its value; any where it is empty."""


class TrafficRule(EndpointSelector):
    """Requests with certain headers go to certain endpoints, and to no other."""

    headers: Annotated[tuple[HeaderMatch, ...], REQUIRED, Schema(min_items=1, max_items=8)] = ()
    """What a request must have, all of it."""


class TrafficShadow(EndpointSelector):
    """A share of requests goes to certain endpoints as well; nobody sees their answers."""

    percent: Annotated[int, Schema(minimum=1, maximum=100)] = 100
    """Of the requests."""


class TrafficAffinity(Model):
    """Requests that are alike go to the same endpoint, unless it has far more to do than others."""

    RULES: ClassVar = (
        Rule(
            "has(self.header) || has(self.prefixBytes)",
            "name a header, or say how many prefixBytes of a prompt are compared",
        ),
    )

    header: Annotated[str | None, _HEADER] = None
    """Whose value tells sessions apart."""
    prefix_bytes: Annotated[int | None, Schema(minimum=64, maximum=65_536)] = None
    """Bytes of a prompt's head that are compared of requests which name no session."""


class Traffic(Model):
    """How requests are spread: where it says nothing the endpoint with the least to do is next."""

    targets: Annotated[tuple[TrafficTarget, ...], _SEVERAL] = ()
    """Shares and priorities; the first that selects an endpoint counts."""
    rules: Annotated[tuple[TrafficRule, ...], _SEVERAL] = ()
    """Where requests with certain headers go; the first that fits counts."""
    shadow: TrafficShadow | None = None
    """Who gets copies of requests."""
    cheapest_first: bool = False
    """Of a priority, endpoints that cost more get requests when the cheaper ones are lost or full:
    clusters of the fleet by what a replica costs an hour, then external ones by their tokens."""
    affinity: TrafficAffinity | None = None
    """Which requests go to the same endpoint."""
