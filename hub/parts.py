"""Parts of objects in which a change concerns somebody: not every word of a status wakes all."""

from fleet.api.binding import Binding
from fleet.api.objects import Resource


def asked(resource: Resource) -> object:
    """Take all that is not reported: a status is written far more often than what it is about."""
    said = {name: value for name, value in vars(resource).items() if name != "status"}
    metadata = resource.metadata.model_copy(update={"resource_version": ""})
    return said | {"metadata": metadata}


def decided(binding: Binding) -> object:
    """Take what scheduling goes by, which is not what resources a cluster has by now."""
    metadata, spec = binding.metadata, binding.spec
    return (
        metadata.model_copy(update={"resource_version": "", "generation": 0}),
        spec.model_copy(update={"resource_snapshot_name": "", "apply_strategy": None}),
    )


def ready(binding: Binding) -> object:
    return binding.true_now("Available")
