"""What a binding was made as, whatever somebody has made of it since. Pure."""

from fleet.api import names
from fleet.api.binding import Binding
from fleet.api.objects import Key, Resource
from fleet.api.placement import Placement
from fleet.api.scope import parent


def home(binding: Binding) -> Key:
    """Name the placement by whose policy a binding was made, whatever its label says."""
    policy, _, _ = binding.spec.scheduling_policy_snapshot_name.rpartition("-")
    return Key(binding.namespace, policy)


def whose(binding: Binding) -> Key:
    """Name the placement that a binding says it is of; without a label its policy says it."""
    labelled = parent(binding)
    return labelled if labelled.name else home(binding)


def made_for(binding: Binding, placement: Placement) -> bool:
    """Whether its name says that we made it for just this placement."""
    spec, uid = binding.spec, placement.metadata.uid
    clusters = (spec.target_cluster, spec.cluster_decision.cluster_name)
    return binding.name in {names.binding_name(placement.name, uid, each) for each in clusters}


def labelled(binding: Binding, placement: str) -> Binding:
    """Put back whose it is."""
    labels = {**binding.metadata.labels, names.PARENT: placement}
    metadata = binding.metadata.model_copy(update={"labels": labels})
    return binding.model_copy(update={"metadata": metadata})


def older(resource: Resource, placement: Placement) -> bool:
    """Whether it was made for a placement that had the same name before."""
    born, begun = resource.metadata.creation_timestamp, placement.metadata.creation_timestamp
    return born is not None and begun is not None and born < begun


def as_made(binding: Binding, placement: Placement) -> Binding:
    """Put back whose it is, where it leads, and that it waits for us before it goes."""
    if binding.metadata.labels.get(names.PARENT) != placement.name:
        binding = labelled(binding, placement.name)
    cluster, spec, metadata = _cluster(binding, placement), binding.spec, binding.metadata
    if names.BINDING_CLEANUP not in metadata.finalizers and not binding.deleting:
        finalizers = (*metadata.finalizers, names.BINDING_CLEANUP)
        metadata = metadata.model_copy(update={"finalizers": finalizers})
    if {spec.target_cluster, spec.cluster_decision.cluster_name} != {cluster}:
        decision = spec.cluster_decision.model_copy(update={"cluster_name": cluster})
        update = {"target_cluster": cluster, "cluster_decision": decision}
        spec = spec.model_copy(update=update)
    return binding.model_copy(update={"metadata": metadata, "spec": spec})


def _cluster(binding: Binding, placement: Placement) -> str:
    """Its name is of the cluster that it was made for; of one that is not ours the decision is."""
    target, decided = binding.spec.target_cluster, binding.spec.cluster_decision.cluster_name
    for cluster in (target, decided):
        if names.binding_name(placement.name, placement.metadata.uid, cluster) == binding.name:
            return cluster
    return decided or target
