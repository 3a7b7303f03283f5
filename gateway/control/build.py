"""Objects of the Kubernetes API become routes: pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from fleet.api import names
from fleet.api.conditions import find
from fleet.api.core import Pod
from fleet.api.keys import Key
from fleet.api.service import ModelEndpoint, ModelService
from gateway.snapshot import Endpoint, Service, Snapshot

LONG_AGO = datetime.fromtimestamp(0, UTC)


def fleet_routes(
    services: Iterable[ModelService],
    endpoints: Iterable[ModelEndpoint],
    gateways: Mapping[str, str],
) -> Snapshot:
    """Route models to regions. `gateways` holds the regional gateways' URLs by cluster."""
    serving: dict[Key, list[ModelEndpoint]] = {}
    for endpoint in endpoints:
        serving.setdefault(Key(endpoint.namespace, endpoint.spec.service), []).append(endpoint)
    by_age = sorted(services, key=lambda s: (s.metadata.creation_timestamp or LONG_AGO, s.key))
    claims = [(s.namespace, (s.spec.model, *s.spec.aliases)) for s in by_age]
    routed = [
        Service(
            name=str(service.key),
            models=models,
            listed=listed,
            created=int((service.metadata.creation_timestamp or LONG_AGO).timestamp()),
            endpoints=_endpoints(service, serving.get(service.key, ()), gateways),
        )
        for service, (models, listed) in zip(by_age, name_models(claims), strict=True)
    ]
    return Snapshot(tuple(sorted(routed, key=lambda service: service.name)))


def name_models(
    claims: Sequence[tuple[str, Sequence[str]]],
) -> list[tuple[tuple[str, ...], int]]:
    """Give each claimant, the oldest first, the names nobody had before, and how many to list.

    Everything is reached as `<namespace>/<name>` too, which no other namespace can take by calling
    its own model so; that is listed where the name itself is another's.
    """
    taken: set[str] = set()
    full = [
        tuple(_claim([f"{namespace}/{name}" for name in wanted], taken))
        for namespace, wanted in claims
    ]
    plain = [tuple(_claim(wanted, taken)) for _, wanted in claims]
    return [
        (own + long, len(own) if wanted[0] in own else len(own) + 1)
        for own, long, (_, wanted) in zip(plain, full, claims, strict=True)
    ]


def pod_routes(pods: Iterable[Pod], region: str) -> Snapshot:
    """Route services to the pods of one region that serve them."""
    serving: dict[str, list[Pod]] = {}
    for pod in sorted(pods, key=lambda p: p.key):
        if service := _service(pod):
            serving.setdefault(service, []).append(pod)
    claims = [
        (members[0].namespace, [_model(members[0]) or service.rpartition("/")[2]])
        for service, members in serving.items()
    ]
    return Snapshot(
        tuple(
            Service(
                name=service,
                models=models,
                listed=listed,
                endpoints=tuple(_pod_endpoint(pod, region) for pod in members),
            )
            for (service, members), (models, listed) in zip(
                serving.items(), name_models(claims), strict=True
            )
        )
    )


def _claim(wanted: Iterable[str], taken: set[str]) -> Iterable[str]:
    for name in wanted:
        if name not in taken:
            taken.add(name)
            yield name


def _endpoints(
    service: ModelService, endpoints: Iterable[ModelEndpoint], gateways: Mapping[str, str]
) -> tuple[Endpoint, ...]:
    found = (_endpoint(service, endpoint, gateways) for endpoint in endpoints)
    return tuple(sorted((e for e in found if e), key=lambda endpoint: endpoint.name))


def _endpoint(
    service: ModelService, endpoint: ModelEndpoint, gateways: Mapping[str, str]
) -> Endpoint | None:
    """Believe that a URL is a region's only where the member cluster itself says so.

    The fleet's credential goes there, and anybody may write a ModelEndpoint.
    """
    spec, url = endpoint.spec, endpoint.spec.url.rstrip("/")
    origin, fleet = _origin(url), bool(spec.cluster)
    if origin is None or (fleet and gateways.get(spec.cluster, "").rstrip("/") != url):
        return None
    ready = find(endpoint.status.conditions, "Ready")
    return Endpoint(
        name=str(endpoint.key),
        url=url,
        model=spec.model or service.spec.model,
        region=spec.region or spec.cluster,
        ready=None if ready is None or not (ready.true or ready.false) else ready.true,
        probe=f"{origin}/-/load" if fleet else f"{url}/models",
        fleet=fleet,
    )


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
        ready=pod.ready and not pod.deleting,
        probe=f"{origin}/health",
    )
