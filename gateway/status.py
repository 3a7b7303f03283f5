"""Models and their endpoints as they stand, for people and programs: `GET /-/status`."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct, structs

from gateway.load import Load
from gateway.metrics import Counts, Report
from gateway.standing import Standing, State, together


class EndpointStatus(Struct, frozen=True, rename="camel", omit_defaults=True):
    name: str
    model: str
    region: str
    state: State
    in_flight: int
    reason: str = ""
    load: Load | None = None
    tokens: int = 0


class Status(Struct, frozen=True, rename="camel"):
    workers: int
    waiting: dict[str, int]
    """Requests that wait for a place, by model."""
    endpoints: tuple[EndpointStatus, ...]


def render(_: Counts, reports: Sequence[Report]) -> bytes:
    """Put together what workers report."""
    seen: dict[str, list[Standing]] = {}
    waiting: dict[str, int] = {}
    for report in reports:
        for name, standing in report.standings.items():
            seen.setdefault(name, []).append(standing)
        for model, number in report.waiting.items():
            waiting[model] = waiting.get(model, 0) + number
    endpoints = sorted((_status(name, each) for name, each in seen.items()), key=_order)
    return msgspec.json.encode(Status(len(reports), waiting, tuple(endpoints)))


def _status(name: str, standings: Sequence[Standing]) -> EndpointStatus:
    return EndpointStatus(name, **structs.asdict(together(standings)))


def _order(status: EndpointStatus) -> tuple[str, str]:
    return status.model, status.name
