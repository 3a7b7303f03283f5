"""Decide which ModelEndpoints a workload has, and the ModelService that they serve. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from fleet.api import names
from fleet.api.objects import Metadata
from fleet.api.service import ModelEndpoint, ModelEndpointSpec, ModelService, ModelServiceSpec
from hub.workloads import Share, Workload, adapters, served_model

MAX_ALIASES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    workload: Workload | None
    shares: tuple[Share, ...]
    service: ModelService | None
    """Of the name that the workload's service has, whoever made it."""
    siblings: tuple[Workload, ...]
    """The placed workloads of the namespace that serve the same service, this one among them."""
    former: tuple[tuple[ModelService, tuple[Workload, ...]], ...] = ()
    """Services that the workload served before, with the placed workloads that still do."""
    endpoints: tuple[ModelEndpoint, ...]
    """Those that the workload owns."""


@dataclass(frozen=True, slots=True)
class ApplyService:
    service: ModelService


@dataclass(frozen=True, slots=True)
class DeleteService:
    """Give up its names: an older service without a place would keep them from others."""

    service: ModelService


@dataclass(frozen=True, slots=True)
class ServeAt:
    """Have an endpoint for a share, and let it say how the share fares."""

    endpoint: ModelEndpoint
    share: Share
    written: bool
    """Whether the endpoint is there already as it should be."""


@dataclass(frozen=True, slots=True)
class DeleteEndpoint:
    endpoint: ModelEndpoint


Action = ApplyService | DeleteService | ServeAt | DeleteEndpoint


def plan(observed: Observed) -> tuple[Action, ...]:
    workload = observed.workload
    if workload is None or workload.deleting:
        return tuple(DeleteEndpoint(e) for e in observed.endpoints if not e.deleting)
    return (
        *_service(observed.service, observed.siblings),
        *(action for there, siblings in observed.former for action in _service(there, siblings)),
        *_endpoints(observed, workload),
    )


def service_of(workload: Workload) -> str:
    """Name the ModelService of a workload."""
    annotations = workload.metadata.annotations
    return annotations.get(names.SERVICE) or names.service_name(called(workload))


def called(workload: Workload) -> str:
    """Name the model as its clients do."""
    return workload.metadata.annotations.get(names.ENDPOINT_NAME) or served_model(workload)


def aliases(workload: Workload) -> tuple[str, ...]:
    """What else clients may call it: what its user said, and an InferenceSet's own name."""
    said = workload.metadata.annotations.get(names.ALIASES, "").split(",")
    own = [workload.name] if workload.kind() == "InferenceSet" else []
    return tuple(alias for alias in (*said, *own) if alias and alias != called(workload))


def _service(
    there: ModelService | None, siblings: Sequence[Workload]
) -> Iterator[ApplyService | DeleteService]:
    """Keep a service for what is placed; a user's own is theirs."""
    if not siblings:
        if there and ours(there) and not there.deleting:
            yield DeleteService(there)
        return
    wanted = _wanted_service(siblings)
    if there is None:
        yield ApplyService(wanted)
    elif ours(there) and not _same_service(there, wanted):
        uid = there.metadata.uid
        metadata = wanted.metadata.model_copy(update={"uid": uid})
        yield ApplyService(ModelService(metadata=metadata, spec=wanted.spec))


def _wanted_service(siblings: Sequence[Workload]) -> ModelService:
    """Call it as the eldest is called, whoever of them is looked at."""
    siblings = sorted(siblings, key=_age)
    eldest = siblings[0]
    owners = tuple(sibling.owner_reference(controller=False) for sibling in siblings)
    others = [name for each in siblings for name in (called(each), *aliases(each))]
    tuned = (name for each in siblings for name in adapters(each))
    further = (name for name in dict.fromkeys(others) if name != called(eldest))
    return ModelService(
        metadata=Metadata(
            name=service_of(eldest),
            namespace=eldest.namespace,
            owner_references=owners,
            labels={names.MANAGED_BY: names.CATEGORY},
        ),
        spec=ModelServiceSpec(
            model=called(eldest),
            aliases=tuple(islice(further, MAX_ALIASES)),
            adapters=tuple(islice(dict.fromkeys(tuned), MAX_ALIASES)),
        ),
    )


def _age(workload: Workload) -> tuple[float, str, str]:
    created = workload.metadata.creation_timestamp
    return created.timestamp() if created else 0.0, workload.kind(), workload.name


def ours(service: ModelService) -> bool:
    return service.metadata.labels.get(names.MANAGED_BY) == names.CATEGORY


def _same_service(there: ModelService, wanted: ModelService) -> bool:
    owners = {owner.uid for owner in there.metadata.owner_references}
    return there.spec == wanted.spec and owners == {
        owner.uid for owner in wanted.metadata.owner_references
    }


def _endpoints(observed: Observed, workload: Workload) -> Iterator[Action]:
    there = {endpoint.name: endpoint for endpoint in observed.endpoints}
    for share in observed.shares:
        if not share.gateway_url:
            continue
        wanted = _wanted_endpoint(workload, share, _model_of(observed))
        old = there.pop(wanted.name, None)
        if old is None:
            yield ServeAt(wanted, share, written=False)
        elif old.spec == wanted.spec:
            yield ServeAt(old, share, written=True)
        else:
            metadata = wanted.metadata.model_copy(update={"uid": old.metadata.uid})
            yield ServeAt(ModelEndpoint(metadata=metadata, spec=wanted.spec), share, written=False)
    yield from (DeleteEndpoint(endpoint) for endpoint in there.values() if not endpoint.deleting)


def _model_of(observed: Observed) -> str:
    """Name the model as the service does that is there after this plan."""
    there = observed.service
    if there and not ours(there):
        return there.spec.model
    return _wanted_service(observed.siblings).spec.model


def _wanted_endpoint(workload: Workload, share: Share, called_there: str) -> ModelEndpoint:
    model = served_model(workload)
    return ModelEndpoint(
        metadata=Metadata(
            name=names.endpoint_name(workload.name, share.cluster),
            namespace=workload.namespace,
            labels={names.WORKLOAD_UID: workload.metadata.uid, names.MANAGED_BY: names.CATEGORY},
            owner_references=(workload.owner_reference(),),
        ),
        spec=ModelEndpointSpec(
            service=service_of(workload),
            url=share.gateway_url,
            region=share.region,
            cluster=share.cluster,
            model="" if model == called_there else model,
            adapters=adapters(workload),
        ),
    )
