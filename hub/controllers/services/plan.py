"""Sum up what serves a ModelService, and who else claims its model's names. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.api.service import ModelEndpoint, ModelService
from fleet.engine.naming import claimed, eldest_first, full, name_models


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    service: ModelService | None
    endpoints: tuple[ModelEndpoint, ...]
    rivals: tuple[ModelService, ...]
    """Other services that claim one of its names."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A name that is another's."""

    name: str
    holder: ModelService
    instead: str
    """How the model is reached all the same; empty where that is another's too."""


def lost(service: ModelService, rivals: tuple[ModelService, ...]) -> Iterator[Lost]:
    """Find the names that a service claims and that requests do not reach it by."""
    everybody = eldest_first([service, *rivals])
    named = name_models([(each.namespace, claimed(each)) for each in everybody])
    holders = {
        name: each for each, (names, _) in zip(everybody, named, strict=True) for name in names
    }
    for name in dict.fromkeys(claimed(service)):
        if holders[name] is not service:
            instead = full(service.namespace, name)
            yield Lost(name, holders[name], instead if holders[instead] is service else "")
