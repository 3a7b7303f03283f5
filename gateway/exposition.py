"""Counters of all workers, in Prometheus' text form."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from gateway.metrics import (
    BUCKETS,
    Counts,
    Histogram,
    Label,
    Numbers,
    Report,
)
from gateway.standing import Standing, together

PREFIX = "modelfleet_gateway_"
ANSWERS, TRIES = ("model", "region", "code"), ("model",)
ERRORS, PLACES = ("model", "region", "reason"), ("model", "region")


def render(past: Counts, reports: Sequence[Report]) -> bytes:
    """Sum what workers report, on top of what those counted that are gone."""
    counts = Counts()
    for each in (past, *(report.counts for report in reports)):
        counts.add(each)
    standings = tuple(_standings(reports))
    lines = [
        *_family("requests_total", "counter", ANSWERS, counts.requests),
        *_family("attempts_total", "counter", TRIES, counts.attempts),
        *_family("retries_total", "counter", TRIES, counts.retries),
        *_family("upstream_errors_total", "counter", ERRORS, counts.errors),
        *_family("refused_total", "counter", ("code",), counts.refused),
        *_family("in_flight", "gauge", PLACES, _in_flight(standings)),
        *_family("waiting", "gauge", TRIES, _waiting(reports)),
        *_family("endpoints", "gauge", (*PLACES, "state"), _endpoints(standings)),
        *_family("workers", "gauge", (), {(): len(reports)}),
        *_histograms("ttft_seconds", PLACES, counts.first_byte),
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _standings(reports: Iterable[Report]) -> Iterable[Standing]:
    seen: dict[str, list[Standing]] = {}
    for report in reports:
        for name, standing in report.standings.items():
            seen.setdefault(name, []).append(standing)
    return (together(each) for each in seen.values())


def _in_flight(standings: Iterable[Standing]) -> Numbers:
    numbers: Counter[Label] = Counter()
    for each in standings:
        numbers[each.model, each.region] += each.in_flight
    return numbers


def _waiting(reports: Iterable[Report]) -> Numbers:
    numbers: Counter[Label] = Counter()
    for report in reports:
        for model, number in report.waiting.items():
            numbers[model,] += number
    return numbers


def _endpoints(standings: Iterable[Standing]) -> Numbers:
    return Counter((each.model, each.region, str(each.state)) for each in standings)


def _family(name: str, kind: str, labels: Label, values: Mapping[Label, int]) -> Iterable[str]:
    yield f"# TYPE {PREFIX}{name} {kind}"
    for key, value in sorted(values.items()):
        yield f"{PREFIX}{name}{_braced(_labels(labels, key))} {value}"


def _histograms(name: str, labels: Label, values: Mapping[Label, Histogram]) -> Iterable[str]:
    full = f"{PREFIX}{name}"
    yield f"# TYPE {full} histogram"
    for key, histogram in sorted(values.items()):
        shown, count = _labels(labels, key), 0
        for bound, number in zip((*BUCKETS, "+Inf"), histogram.counts, strict=True):
            count += number
            yield f'{full}_bucket{{{shown},le="{bound}"}} {count}'
        yield f"{full}_sum{{{shown}}} {histogram.total:.6f}"
        yield f"{full}_count{{{shown}}} {count}"


def _braced(labels: str) -> str:
    return f"{{{labels}}}" if labels else ""


def _labels(names: Label, values: Label) -> str:
    return ",".join(f'{n}="{_escaped(v)}"' for n, v in zip(names, values, strict=True))


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
