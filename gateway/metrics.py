"""Counters of one worker, in Prometheus' text form."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
Label = tuple[str, ...]


class Histogram(Struct):
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(BUCKETS, value)] += 1
        self.total += value


class Metrics:
    """What happened, by service and region."""

    def __init__(self) -> None:
        self.requests: Counter[Label] = Counter()
        self.failures: Counter[Label] = Counter()
        self.retries: Counter[Label] = Counter()
        self.refused: Counter[Label] = Counter()
        self.first_byte: dict[Label, Histogram] = {}

    def answered(self, service: str, region: str, status: str, tries: int) -> None:
        self.requests[service, region, status] += 1
        if tries > 1:
            self.retries[(service,)] += tries - 1

    def began(self, service: str, region: str, seconds: float) -> None:
        """Count the time from a whole request to its answer's first byte."""
        histogram = self.first_byte.get((service, region))
        if histogram is None:
            histogram = self.first_byte[service, region] = Histogram()
        histogram.observe(seconds)

    def failed(self, service: str, endpoint: str, failure: str) -> None:
        """Count a try that failed; the request may still be answered."""
        self.failures[service, endpoint, failure] += 1

    def turned_down(self, code: str) -> None:
        """Count a request that no upstream was asked for."""
        self.refused[(code,)] += 1

    def render(self, in_flight: Mapping[Label, int]) -> bytes:
        lines = [
            *_family("requests_total", "counter", ("service", "region", "code"), self.requests),
            *_family("retries_total", "counter", ("service",), self.retries),
            *_family(
                "failures_total", "counter", ("service", "endpoint", "failure"), self.failures
            ),
            *_family("refused_total", "counter", ("code",), self.refused),
            *_family("in_flight", "gauge", ("service", "endpoint"), in_flight),
            *_histograms("first_byte_seconds", ("service", "region"), self.first_byte),
        ]
        return "".join(f"{line}\n" for line in lines).encode()


def _family(name: str, kind: str, labels: Label, values: Mapping[Label, int]) -> Iterable[str]:
    yield f"# TYPE modelfleet_gateway_{name} {kind}"
    for key, value in sorted(values.items()):
        yield f"modelfleet_gateway_{name}{{{_labels(labels, key)}}} {value}"


def _histograms(name: str, labels: Label, values: Mapping[Label, Histogram]) -> Iterable[str]:
    full = f"modelfleet_gateway_{name}"
    yield f"# TYPE {full} histogram"
    for key, histogram in sorted(values.items()):
        shown, count = _labels(labels, key), 0
        for bound, number in zip((*BUCKETS, "+Inf"), histogram.counts, strict=True):
            count += number
            yield f'{full}_bucket{{{shown},le="{bound}"}} {count}'
        yield f"{full}_sum{{{shown}}} {histogram.total:.6f}"
        yield f"{full}_count{{{shown}}} {count}"


def _labels(names: Label, values: Label) -> str:
    return ",".join(f'{n}="{_escaped(v)}"' for n, v in zip(names, values, strict=True))


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
