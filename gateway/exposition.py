"""Counters of all workers, in Prometheus' text form."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from gateway.generation import DURATION, EACH, FIRST, TOKENS, Generation, outcome
from gateway.histogram import Bounds, Histogram
from gateway.metrics import (
    BUCKETS,
    Counts,
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
        *_family(
            "requests_total",
            "counter",
            ANSWERS,
            _requests(counts),
        ),
        *_family("attempts_total", "counter", TRIES, _by_model(counts, lambda each: each.tries)),
        *_family("retries_total", "counter", TRIES, _by_model(counts, lambda each: each.retries)),
        *_family("upstream_errors_total", "counter", ERRORS, counts.errors),
        *_family("continued_total", "counter", PLACES, counts.continued),
        *_family("refused_total", "counter", ("code",), counts.refused),
        *_family("in_flight", "gauge", PLACES, _sum(standings, lambda each: each.in_flight)),
        *_family("in_flight_tokens", "gauge", PLACES, _sum(standings, lambda each: each.tokens)),
        *_family("waiting", "gauge", TRIES, _waiting(reports)),
        *_family("endpoints", "gauge", (*PLACES, "state"), _endpoints(standings)),
        *_family("workers", "gauge", (), {(): len(reports)}),
        *_histograms(f"{PREFIX}ttft_seconds", PLACES, BUCKETS, counts.first_byte),
        *_generations(_by_outcome(counts.answers)),
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _requests(counts: Counts) -> Numbers:
    return {label: each.answers for label, each in counts.answers.items()}


def _by_model(counts: Counts, number: Callable[[Generation], int]) -> Numbers:
    numbers: Counter[Label] = Counter()
    for (model, *_), each in counts.answers.items():
        if number(each):
            numbers[model,] += number(each)
    return numbers


def _by_outcome(answers: Mapping[Label, Generation]) -> Mapping[Label, Generation]:
    sums: dict[Label, Generation] = {}
    for (model, region, status), each in answers.items():
        sums.setdefault((model, region, outcome(status)), Generation()).add(each)
    return sums


def _standings(reports: Iterable[Report]) -> Iterable[Standing]:
    seen: dict[str, list[Standing]] = {}
    for report in reports:
        for name, standing in report.standings.items():
            seen.setdefault(name, []).append(standing)
    return (together(each) for each in seen.values())


def _sum(standings: Iterable[Standing], number: Callable[[Standing], int]) -> Numbers:
    numbers: Counter[Label] = Counter()
    for each in standings:
        numbers[each.model, each.region] += number(each)
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


def _generations(values: Mapping[Label, Generation]) -> Iterable[str]:
    """Write what conventions name; what was never seen has no samples."""
    server, labels = "gen_ai_server_", ("gen_ai_request_model", "region", "outcome")

    def of(name: str, bounds: Bounds, part: Callable[[Generation], Histogram]) -> Iterable[str]:
        seen = {key: part(each) for key, each in values.items() if any(part(each).counts)}
        return _histograms(f"{server}{name}", labels, bounds, seen)

    yield from of("request_duration_seconds", DURATION, lambda each: each.duration)
    yield from of("time_to_first_token_seconds", FIRST, lambda each: each.first)
    yield from of("time_per_output_token_seconds", EACH, lambda each: each.each)
    used = {(*key, "input"): each.prompt for key, each in values.items()}
    used |= {(*key, "output"): each.answer for key, each in values.items()}
    seen = {key: each for key, each in used.items() if any(each.counts)}
    kinds = (*labels, "gen_ai_token_type")
    yield from _histograms("gen_ai_client_token_usage", kinds, TOKENS, seen)


def _histograms(
    full: str, labels: Label, bounds: Bounds, values: Mapping[Label, Histogram]
) -> Iterable[str]:
    yield f"# TYPE {full} histogram"
    for key, histogram in sorted(values.items()):
        shown, count = _labels(labels, key), 0
        for bound, number in zip((*bounds, "+Inf"), histogram.counts, strict=True):
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
