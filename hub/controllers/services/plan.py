"""Sum up what serves a ModelService, and who else claims its model's name. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.api.service import ModelEndpoint, ModelService


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    service: ModelService | None
    endpoints: tuple[ModelEndpoint, ...]
    namesakes: tuple[ModelService, ...]
    """Services of other namespaces under the same name."""


def elder(service: ModelService, namesakes: Sequence[ModelService]) -> ModelService | None:
    """Find who has the model's name by right: the eldest, of equals the first namespace."""
    rivals = [rival for rival in namesakes if rival.spec.model == service.spec.model]
    first = min([service, *rivals], key=_age)
    return None if first is service else first


def _age(service: ModelService) -> tuple[bool, float, str]:
    created = service.metadata.creation_timestamp
    return created is None, created.timestamp() if created else 0.0, service.namespace
