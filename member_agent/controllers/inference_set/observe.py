"""Read everything `plan` needs, once, from the caches."""

from collections.abc import Iterable
from typing import NamedTuple

from fleet.api.core import ConfigMap
from fleet.api.objects import Key
from fleet.api.workspace import InferenceSet, Workspace
from fleet.kube.cache import Cache
from fleet.kube.wire import ObjectMeta
from member_agent.controllers.inference_set.plan import Observed
from member_agent.inputs import config_of, content

BY_OWNER = "inference-set"


class Reads(NamedTuple):
    """The kinds that the controller of InferenceSets reads, and no others."""

    inference_sets: Cache[InferenceSet]
    workspaces: Cache[Workspace]
    configs: Cache[ConfigMap]


def owner_of(metadata: ObjectMeta) -> Iterable[str]:
    """Index Workspaces by the InferenceSet that owns them."""
    for owner in metadata.owner_references:
        if owner.kind == InferenceSet.kind():
            yield str(Key(metadata.namespace, owner.name))


def observe(reads: Reads, key: Key) -> Observed:
    owner, children = reads.inference_sets.get(key), reads.workspaces.by(BY_OWNER, str(key))
    named = {config_of(each) for each in (owner, *children) if each}
    found = (reads.configs.get(name) for name in named if name)
    return Observed(
        inference_set=owner,
        children=children,
        contents={config.key: content(config.data) for config in found if config},
    )
