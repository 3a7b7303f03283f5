"""Which of several ModelServices has a model's name: routes and statuses agree on it. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from fleet.api.keys import Key

LONG_AGO = datetime.fromtimestamp(0, UTC)


class Dated(Protocol):
    @property
    def creation_timestamp(self) -> datetime | None: ...


class Wishes(Protocol):
    @property
    def model(self) -> str: ...
    @property
    def aliases(self) -> tuple[str, ...]: ...
    @property
    def adapters(self) -> tuple[str, ...]: ...


class Service(Protocol):
    """A ModelService, or as much of one as a program reads."""

    @property
    def key(self) -> Key: ...
    @property
    def deleting(self) -> bool: ...
    @property
    def metadata(self) -> Dated: ...
    @property
    def spec(self) -> Wishes: ...


S = TypeVar("S", bound=Service)


def created(service: Service) -> datetime:
    return service.metadata.creation_timestamp or LONG_AGO


def eldest_first(services: Iterable[S]) -> list[S]:
    """Put them in the order in which they get names; those on their way out are last."""
    return sorted(services, key=_age)


def claimed(service: Service) -> tuple[str, ...]:
    """Give what a service wants to be called, its model's own name first."""
    return service.spec.model, *service.spec.aliases, *service.spec.adapters


def full(namespace: str, name: str) -> str:
    return f"{namespace}/{name}"


def name_models(
    claims: Sequence[tuple[str, Sequence[str]]],
) -> list[tuple[tuple[str, ...], int]]:
    """Give each claimant, the oldest first, the names nobody had before, and how many to list.

    Everything is reached as `<namespace>/<name>` too, which no other namespace can take by calling
    its own model so; that is listed where the name itself is another's.
    """
    taken: set[str] = set()
    long = [
        tuple(_claim([full(namespace, name) for name in wanted], taken))
        for namespace, wanted in claims
    ]
    plain = [tuple(_claim(wanted, taken)) for _, wanted in claims]
    return [
        (own + more, len(own) if wanted[0] in own else len(own) + 1)
        for own, more, (_, wanted) in zip(plain, long, claims, strict=True)
    ]


def _claim(wanted: Iterable[str], taken: set[str]) -> Iterable[str]:
    for name in wanted:
        if name not in taken:
            taken.add(name)
            yield name


def _age(service: Service) -> tuple[bool, datetime, Key]:
    return service.deleting, created(service), service.key
