"""What programs count about themselves, for Prometheus."""

from functools import cache

from prometheus_client import REGISTRY, Counter, Histogram, generate_latest

_REQUESTS = Counter(
    "modelfleet_kube_requests",
    "Requests to Kubernetes API servers; code `lost` is a connection that failed",
    ("verb", "code"),
)
_RECONCILES = Histogram(
    "modelfleet_reconcile_seconds",
    "Time that one reconcile took",
    ("controller", "outcome"),
    buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60),
)
_EVENTS = Counter(
    "modelfleet_kube_events",
    "Kubernetes Events by what became of them: written, repeated, dropped or failed",
    ("outcome",),
)


@cache
def _requests(verb: str, code: str) -> Counter:
    return _REQUESTS.labels(verb, code)


@cache
def _reconciles(controller: str, outcome: str) -> Histogram:
    return _RECONCILES.labels(controller, outcome)


def requests_total(verb: str, code: str) -> None:
    """Count a request by its answer."""
    _requests(verb, code).inc()


def reconciled(controller: str, outcome: str, seconds: float) -> None:
    _reconciles(controller, outcome).observe(seconds)


def event(outcome: str) -> None:
    _EVENTS.labels(outcome).inc()


def exposition() -> bytes:
    """Give all that was counted in Prometheus' text format."""
    return generate_latest(REGISTRY)
