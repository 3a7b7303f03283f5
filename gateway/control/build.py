"""Objects of the Kubernetes API become routes: pure."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from fleet.api import names
from fleet.api.addresses import exposed
from fleet.api.keys import Key
from fleet.engine.naming import claimed, created, eldest_first, full, name_models
from gateway.control import traffic
from gateway.control.kinds import ModelEndpoint, ModelService, Pod, ready
from gateway.snapshot import Endpoint, Queue, Service, Snapshot


def fleet_routes(
    services: Iterable[ModelService],
    endpoints: Iterable[ModelEndpoint],
    gateways: Mapping[str, str],
) -> Snapshot:
    """Route models to regions. `gateways` holds the regional gateways' URLs by cluster."""
    serving: dict[Key, list[ModelEndpoint]] = {}
    for endpoint in endpoints:
        serving.setdefault(Key(endpoint.namespace, endpoint.spec.service), []).append(endpoint)
    by_age = eldest_first(services)
    claims = [(service.namespace, claimed(service)) for service in by_age]
    routed = [
        Service(
            name=str(service.key),
            models=models,
            listed=listed,
            created=int(created(service).timestamp()),
            endpoints=_endpoints(service, serving.get(service.key, ()), gateways),
            queue=_queue(service),
            rules=traffic.rules(service, serving.get(service.key, ())),
            shadow=traffic.shadow(service, serving.get(service.key, ())),
            affinity=traffic.affinity(service),
            hedge=traffic.hedge(service),
            continues=service.spec.continuation,
            adapters=_adapters(service.namespace, service.spec.adapters, models),
        )
        for service, (models, listed) in zip(by_age, name_models(claims), strict=True)
    ]
    return Snapshot(tuple(sorted(routed, key=lambda service: service.name)))


def pod_routes(pods: Iterable[Pod], region: str) -> Snapshot:
    """Route services to the pods of one region that serve them."""
    serving: dict[str, list[Pod]] = {}
    for pod in sorted(pods, key=lambda p: p.key):
        if service := _service(pod):
            serving.setdefault(service, []).append(pod)
    claims = [
        (members[0].namespace, [_model(members[0]) or service.rpartition("/")[2], *_tuned(members)])
        for service, members in serving.items()
    ]
    return Snapshot(
        tuple(
            Service(
                name=service,
                models=models,
                listed=listed,
                endpoints=tuple(_pod_endpoint(pod, region) for pod in members),
                adapters=_adapters(members[0].namespace, _tuned(members), models),
            )
            for (service, members), (models, listed) in zip(
                serving.items(), name_models(claims), strict=True
            )
        )
    )


def _endpoints(
    service: ModelService, endpoints: Iterable[ModelEndpoint], gateways: Mapping[str, str]
) -> tuple[Endpoint, ...]:
    found = (_endpoint(service, endpoint, gateways) for endpoint in endpoints)
    return tuple(sorted((e for e in found if e), key=lambda endpoint: endpoint.name))


def _endpoint(
    service: ModelService, endpoint: ModelEndpoint, gateways: Mapping[str, str]
) -> Endpoint | None:
    """Believe that a URL is a region's only where the member cluster itself says so.

    The fleet's credential goes there, and anybody may write a ModelEndpoint. Nor does it go where
    it could be read on its way.
    """
    spec, url = endpoint.spec, endpoint.spec.url.rstrip("/")
    origin, fleet = _origin(url), bool(spec.cluster)
    if origin is None or (fleet and not _believed(url, gateways.get(spec.cluster, ""))):
        return None
    credential = "" if fleet else traffic.credential(endpoint)
    if credential and exposed(url):
        return None
    weight, priority = traffic.share(service, endpoint)
    return Endpoint(
        name=str(endpoint.key),
        url=url,
        model=spec.model or service.spec.model,
        region=spec.region or spec.cluster,
        ready=ready(endpoint.status.conditions),
        probe=f"{origin}/-/load" if fleet else f"{url}/models",
        fleet=fleet,
        places=_places(service, endpoint),
        weight=weight,
        priority=priority,
        credential=credential,
        tls=None if fleet else traffic.tls(endpoint),
        price=traffic.price(endpoint),
        cost=traffic.cost(service, endpoint),
        adapters=spec.adapters,
    )


def _places(service: ModelService, endpoint: ModelEndpoint) -> int:
    """Give how many requests an endpoint may have at a time; 0 is no limit."""
    each = service.spec.admission.max_in_flight_per_replica if endpoint.spec.cluster else 0
    return endpoint.spec.max_in_flight or each * max(1, endpoint.status.ready_replicas)


def _queue(service: ModelService) -> Queue:
    admission = service.spec.admission
    return Queue(admission.queue_length, admission.queue_seconds)


def _believed(url: str, told: str) -> bool:
    return told.rstrip("/") == url and not exposed(url)


def _origin(url: str) -> str | None:
    """Give what stands before the path; None where no host can be called by it."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna")
        callable_ = bool(host) and parts.port != 0
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}" if callable_ else None


def _service(pod: Pod) -> str | None:
    """Name the service that a pod serves; workers of a multi-node replica serve none."""
    labels = pod.metadata.labels
    if not pod.status.pod_ip or not _port(pod) or labels.get(names.POD_INDEX) != "0":
        return None
    name = labels.get(names.SERVICE)
    return f"{pod.namespace}/{name}" if name else None


def _model(pod: Pod) -> str:
    return pod.metadata.annotations.get(names.MODEL, "")


def _tuned(pods: Iterable[Pod]) -> tuple[str, ...]:
    """Name the adapters that any of these pods serves."""
    told = (pod.metadata.annotations.get(names.ADAPTERS, "").split(",") for pod in pods)
    return tuple(dict.fromkeys(name for each in told for name in each if name))


def _adapters(
    namespace: str, adapters: Iterable[str], models: Iterable[str]
) -> tuple[tuple[str, str], ...]:
    """Tell which of the names that a service got are adapters'."""
    mine = set(models)
    asked = (
        (name, adapter) for adapter in adapters for name in (adapter, full(namespace, adapter))
    )
    return tuple((name, adapter) for name, adapter in asked if name in mine)


def _port(pod: Pod) -> int:
    ports = (port.container_port for container in pod.spec.containers for port in container.ports)
    return next(ports, 0)


def _pod_endpoint(pod: Pod, region: str) -> Endpoint:
    ip = pod.status.pod_ip
    origin = f"http://[{ip}]:{_port(pod)}" if ":" in ip else f"http://{ip}:{_port(pod)}"
    return Endpoint(
        name=str(pod.key),
        url=f"{origin}/v1",
        model=_model(pod),
        region=region,
        ready=bool(ready(pod.status.conditions)) and not pod.deleting,
        probe=f"{origin}/health",
        metrics=f"{origin}/metrics",
        adapters=_tuned([pod]),
    )
