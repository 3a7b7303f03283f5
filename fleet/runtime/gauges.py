"""Values that are asked for when Prometheus comes, so that they are never stale."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from operator import add

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

Labels = tuple[str, ...]
Values = Iterable[tuple[Labels, float]]
Source = Callable[[], Values]
Merge = Callable[[float, float], float]
DISTRIBUTION = "modelfleet"


@dataclass(slots=True, eq=False)
class Gauge(Collector):
    """One metric of several sources; what two of them say of the same labels is merged."""

    name: str
    text: str
    labels: Labels = ()
    merge: Merge = add
    _sources: list[Source] = field(default_factory=list)

    def __post_init__(self) -> None:
        REGISTRY.register(self)

    @contextmanager
    def asks(self, source: Source) -> Iterator[None]:
        """Ask a source at each scrape while the block runs."""
        self._sources.append(source)
        try:
            yield
        finally:
            self._sources.remove(source)

    def always(self, source: Source) -> None:
        """Ask a source for as long as the process lives."""
        self._sources.append(source)

    def values(self) -> Mapping[Labels, float]:
        found: dict[Labels, float] = {}
        for source in self._sources:
            for labels, value in source():
                found[labels] = self.merge(found[labels], value) if labels in found else value
        return found

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(self.name, self.text, labels=self.labels)
        for labels, value in self.values().items():
            family.add_metric(labels, value)
        yield family


def product_version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"


QUEUE_KEYS = Gauge("modelfleet_queue_keys", "Keys that wait for a worker", ("controller",))
CACHE_AGE = Gauge(
    "modelfleet_cache_age_seconds",
    "Time since the last list, event or bookmark of a kind; NaN before the first",
    ("kind",),
    max,
)
LEADING = Gauge("modelfleet_leading", "1 where this replica may write", (), min)
PLACEMENTS = Gauge(
    "modelfleet_placements",
    "Placements by the reason of their first condition that is not True, or Available",
    ("scope", "reason"),
)
UPDATE_RUNS = Gauge(
    "modelfleet_update_runs",
    "Update runs by the reason of the condition that says most of them",
    ("scope", "reason"),
)
MEMBER_SILENT = Gauge(
    "modelfleet_member_silent", "1 where a member has missed its heartbeats", ("cluster",)
)
CREDENTIAL_WAITS = Gauge(
    "modelfleet_gateway_credential_waits",
    "1 where a member keeps the next credential between gateways waiting for too long",
    ("cluster",),
    max,
)
WORKLOAD_READY = Gauge(
    "modelfleet_workload_ready",
    "1 where a workload is ready",
    ("kind", "namespace", "name"),
    max,
)
SOLD_OUT = Gauge(
    "modelfleet_instance_type_sold_out",
    "1 where a cluster could get no node of a type lately",
    ("cluster", "instance_type"),
    max,
)
TOKEN_EXPIRES = Gauge(
    "modelfleet_agent_token_expires_timestamp_seconds",
    "When the agent's token for the hub ends, in seconds since the epoch",
)
BUILD_INFO = Gauge("modelfleet_build_info", "1, with the version that runs", ("version",), max)
BUILD_INFO.always(lambda: [((product_version(),), 1.0)])
