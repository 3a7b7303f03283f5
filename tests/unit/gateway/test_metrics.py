"""Counters of workers are put together, and written as Prometheus reads them."""

import pytest

from gateway.exposition import render
from gateway.metrics import BUCKETS, Counts, Report
from gateway.standing import Standing, State


def lines(*counts: Counts, past: Counts | None = None, **standings: Standing) -> list[str]:
    """Give the samples without their types, as if every worker saw the endpoints so."""
    reports = [Report(each, standings) for each in counts]
    text = render(past or Counts(), reports).decode().splitlines()
    return [line.removeprefix("modelfleet_gateway_") for line in text if not line.startswith("#")]


def test_a_gateway_that_served_nobody_names_its_metrics_all_the_same() -> None:
    assert render(Counts(), ()).decode() == (
        "# TYPE modelfleet_gateway_requests_total counter\n"
        "# TYPE modelfleet_gateway_attempts_total counter\n"
        "# TYPE modelfleet_gateway_retries_total counter\n"
        "# TYPE modelfleet_gateway_upstream_errors_total counter\n"
        "# TYPE modelfleet_gateway_refused_total counter\n"
        "# TYPE modelfleet_gateway_in_flight gauge\n"
        "# TYPE modelfleet_gateway_waiting gauge\n"
        "# TYPE modelfleet_gateway_endpoints gauge\n"
        "# TYPE modelfleet_gateway_workers gauge\n"
        "modelfleet_gateway_workers 0\n"
        "# TYPE modelfleet_gateway_ttft_seconds histogram\n"
    )


def counted() -> Counts:
    counts = Counts()
    counts.answered("phi", "eu", "200", 1)
    counts.answered("phi", "eu", "200", 3)
    counts.answered("phi", "us", "502", 2)
    counts.failed("phi", "us", "reset")
    counts.turned_down("invalid_api_key")
    return counts


def test_what_workers_and_those_before_them_counted_is_summed() -> None:
    assert lines(counted(), counted(), past=counted()) == [
        'requests_total{model="phi",region="eu",code="200"} 6',
        'requests_total{model="phi",region="us",code="502"} 3',
        'attempts_total{model="phi"} 18',
        'retries_total{model="phi"} 9',
        'upstream_errors_total{model="phi",region="us",reason="reset"} 3',
        'refused_total{code="invalid_api_key"} 3',
        "workers 2",
    ]


def test_a_request_without_a_try_is_no_retry() -> None:
    counts = Counts()
    counts.answered("phi", "", "503", 0)
    assert lines(counts) == ['requests_total{model="phi",region="",code="503"} 1', "workers 1"]


def test_adding_leaves_what_was_added_as_it_was() -> None:
    one, two = counted(), counted()
    one.began("phi", "eu", 0.1)
    total = Counts()
    total.add(one)
    total.add(one)
    two.began("phi", "eu", 0.1)
    assert one == two
    assert sum(total.first_byte["phi", "eu"].counts) == 2


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        ((State.READY, State.READY), "ready"),
        ((State.READY, State.EJECTED), "ejected"),
        ((State.DOWN, State.READY), "down"),
        ((State.NOT_READY, State.EJECTED), "not_ready"),
    ],
)
def test_an_endpoint_is_as_bad_as_its_worst_worker_says(
    seen: tuple[State, State], state: str
) -> None:
    reports = [Report(Counts(), {"demo/a": Standing("phi", "eu", each, 2)}) for each in seen]
    text = render(Counts(), reports).decode()
    start = 'modelfleet_gateway_endpoints{model="phi",region="eu",'
    assert [line for line in text.splitlines() if line.startswith(start)] == [
        f'{start}state="{state}"}} 1'
    ]
    assert 'modelfleet_gateway_in_flight{model="phi",region="eu"} 4\n' in text


def test_a_histogram_counts_each_value_in_every_bucket_above_it() -> None:
    counts = Counts()
    for seconds in (0.005, 0.006, 60.0, 500.0):
        counts.began("phi", "eu", seconds)
    found = [line for line in lines(counts) if line.startswith("ttft")]
    labels = 'model="phi",region="eu"'
    buckets = {line.split('le="')[1].split('"')[0]: line.split()[-1] for line in found[:-2]}
    assert list(buckets) == [*map(str, BUCKETS), "+Inf"]
    assert (buckets["0.005"], buckets["0.01"], buckets["30.0"]) == ("1", "2", "2")
    assert (buckets["60.0"], buckets["120.0"], buckets["+Inf"]) == ("3", "3", "4")
    assert found[-2:] == [
        f"ttft_seconds_sum{{{labels}}} 560.011000",
        f"ttft_seconds_count{{{labels}}} 4",
    ]


def test_a_label_cannot_break_out_of_its_quotes() -> None:
    counts = Counts()
    counts.turned_down('a"b\\c\nd')
    assert lines(counts) == [r'refused_total{code="a\"b\\c\nd"} 1', "workers 1"]
