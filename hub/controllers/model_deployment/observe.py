"""Read a ModelDeployment, its namesake, and what was made from it."""

from typing import NamedTuple

from fleet.api.deployment import ModelDeployment
from fleet.api.keys import Key
from fleet.api.workspace import InferenceSet
from fleet.kube.cache import Cache
from hub.controllers.model_deployment.plan import Observed
from hub.scope_caches import BY_PLACEMENT, ScopeCaches


class Reads(NamedTuple):
    deployments: Cache[ModelDeployment]
    namesakes: Cache[ModelDeployment]
    """The same kind in the other group."""
    inference_sets: Cache[InferenceSet]
    scope: ScopeCaches


def observe(reads: Reads, key: Key) -> Observed:
    return Observed(
        deployment=reads.deployments.get(key),
        namesake=reads.namesakes.get(key),
        inference_set=reads.inference_sets.get(key),
        placement=reads.scope.placements.get(key),
        bindings=reads.scope.bindings.by(BY_PLACEMENT, str(key)),
    )
