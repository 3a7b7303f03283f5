"""Counters of workers are put together, and written as Prometheus reads them."""

import pytest

from gateway.exposition import render
from gateway.generation import outcome
from gateway.metrics import BUCKETS, Counts, Report
from gateway.standing import Standing, State


def lines(*counts: Counts, past: Counts | None = None, **standings: Standing) -> list[str]:
    """Give the samples without their types, as if every worker saw the endpoints so."""
    reports = [Report(each, standings) for each in counts]
    text = render(past or Counts(), reports).decode().splitlines()
    return [line.removeprefix("modelfleet_gateway_") for line in text if not line.startswith("#")]


def samples(*counts: Counts, past: Counts | None = None) -> list[str]:
    """Give those of our own names."""
    return [line for line in lines(*counts, past=past) if not line.startswith("gen_ai")]


def test_a_gateway_that_served_nobody_names_its_metrics_all_the_same() -> None:
    assert render(Counts(), ()).decode() == (
        "# TYPE modelfleet_gateway_requests_total counter\n"
        "# TYPE modelfleet_gateway_attempts_total counter\n"
        "# TYPE modelfleet_gateway_retries_total counter\n"
        "# TYPE modelfleet_gateway_upstream_errors_total counter\n"
        "# TYPE modelfleet_gateway_continued_total counter\n"
        "# TYPE modelfleet_gateway_refused_total counter\n"
        "# TYPE modelfleet_gateway_in_flight gauge\n"
        "# TYPE modelfleet_gateway_in_flight_tokens gauge\n"
        "# TYPE modelfleet_gateway_waiting gauge\n"
        "# TYPE modelfleet_gateway_endpoints gauge\n"
        "# TYPE modelfleet_gateway_workers gauge\n"
        "modelfleet_gateway_workers 0\n"
        "# TYPE modelfleet_gateway_ttft_seconds histogram\n"
        "# TYPE gen_ai_server_request_duration_seconds histogram\n"
        "# TYPE gen_ai_server_time_to_first_token_seconds histogram\n"
        "# TYPE gen_ai_server_time_per_output_token_seconds histogram\n"
        "# TYPE gen_ai_client_token_usage histogram\n"
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
    assert samples(counted(), counted(), past=counted()) == [
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
    assert samples(counts) == ['requests_total{model="phi",region="",code="503"} 1', "workers 1"]


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
    reports = [
        Report(Counts(), {"demo/a": Standing("phi", "eu", each, 2, tokens=300)}) for each in seen
    ]
    text = render(Counts(), reports).decode()
    start = 'modelfleet_gateway_endpoints{model="phi",region="eu",'
    assert [line for line in text.splitlines() if line.startswith(start)] == [
        f'{start}state="{state}"}} 1'
    ]
    assert 'modelfleet_gateway_in_flight{model="phi",region="eu"} 4\n' in text
    assert 'modelfleet_gateway_in_flight_tokens{model="phi",region="eu"} 600\n' in text


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


def test_answers_are_measured_as_the_conventions_for_generative_ai_name_it() -> None:
    counts = Counts()
    for status, prompt, answer in (("200", 7, 3), ("201", 5, 1), ("cut", 0, 2)):
        told = counts.answered("phi", "eu", status, 1, 2.0)
        told.used(prompt, answer)
        told.streamed(0.5, 1.5, answer)
    counts.answered("phi", "", "503", 0, 0.1)
    found = {line for line in lines(counts, counts) if line.startswith("gen_ai")}
    labels = 'gen_ai_request_model="phi",region="eu"'
    server, tokens = "gen_ai_server_", "gen_ai_client_token_usage_"
    lost = 'gen_ai_request_model="phi",region="",outcome="failed"'
    assert {
        f'{server}request_duration_seconds_count{{{labels},outcome="ok"}} 4',
        f'{server}request_duration_seconds_sum{{{labels},outcome="cut"}} 4.000000',
        f"{server}request_duration_seconds_count{{{lost}}} 2",
        f'{server}time_to_first_token_seconds_sum{{{labels},outcome="ok"}} 2.000000',
        f'{server}time_per_output_token_seconds_sum{{{labels},outcome="ok"}} 1.500000',
        f'{server}time_per_output_token_seconds_sum{{{labels},outcome="cut"}} 3.000000',
        f'{tokens}sum{{{labels},outcome="ok",gen_ai_token_type="input"}} 24.000000',
        f'{tokens}sum{{{labels},outcome="ok",gen_ai_token_type="output"}} 8.000000',
        f'{tokens}count{{{labels},outcome="cut",gen_ai_token_type="output"}} 2',
    } <= found
    assert not [line for line in found if 'outcome="failed"' in line and "token" in line]
    assert not [line for line in found if 'outcome="cut",gen_ai_token_type="input"' in line]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("200", "ok"),
        ("302", "ok"),
        ("404", "refused"),
        ("499", "cancelled"),
        ("cut", "cut"),
        ("503", "failed"),
    ],
)
def test_answers_have_outcomes(status: str, expected: str) -> None:
    assert outcome(status) == expected
