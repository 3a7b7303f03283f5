"""Counters are written as Prometheus reads them."""

from gateway.metrics import BUCKETS, Metrics


def lines(metrics: Metrics, **in_flight: int) -> list[str]:
    """Give the samples without their types."""
    text = metrics.render({("demo/phi", name): number for name, number in in_flight.items()})
    return [line for line in text.decode().splitlines() if not line.startswith("#")]


def test_a_gateway_that_served_nobody_names_its_metrics_all_the_same() -> None:
    assert Metrics().render({}).decode() == (
        "# TYPE modelfleet_gateway_requests_total counter\n"
        "# TYPE modelfleet_gateway_retries_total counter\n"
        "# TYPE modelfleet_gateway_failures_total counter\n"
        "# TYPE modelfleet_gateway_refused_total counter\n"
        "# TYPE modelfleet_gateway_in_flight gauge\n"
        "# TYPE modelfleet_gateway_first_byte_seconds histogram\n"
    )


def test_requests_are_counted_by_service_region_and_answer() -> None:
    metrics = Metrics()
    metrics.answered("demo/phi", "eu", "200", 1)
    metrics.answered("demo/phi", "eu", "200", 3)
    metrics.answered("demo/phi", "us", "502", 2)
    metrics.failed("demo/phi", "us", "reset")
    metrics.turned_down("invalid_api_key")
    assert lines(metrics, eu=2) == [
        'modelfleet_gateway_requests_total{service="demo/phi",region="eu",code="200"} 2',
        'modelfleet_gateway_requests_total{service="demo/phi",region="us",code="502"} 1',
        'modelfleet_gateway_retries_total{service="demo/phi"} 3',
        'modelfleet_gateway_failures_total{service="demo/phi",endpoint="us",failure="reset"} 1',
        'modelfleet_gateway_refused_total{code="invalid_api_key"} 1',
        'modelfleet_gateway_in_flight{service="demo/phi",endpoint="eu"} 2',
    ]


def test_a_request_without_a_try_is_no_retry() -> None:
    metrics = Metrics()
    metrics.answered("demo/phi", "", "503", 0)
    assert not any("retries_total{" in line for line in lines(metrics))


def test_a_histogram_counts_each_value_in_every_bucket_above_it() -> None:
    metrics = Metrics()
    for seconds in (0.005, 0.006, 60.0, 500.0):
        metrics.began("demo/phi", "eu", seconds)
    found = lines(metrics)
    labels = 'service="demo/phi",region="eu"'
    buckets = {line.split('le="')[1].split('"')[0]: line.split()[-1] for line in found[:-2]}
    assert list(buckets) == [*map(str, BUCKETS), "+Inf"]
    assert (buckets["0.005"], buckets["0.01"], buckets["30.0"]) == ("1", "2", "2")
    assert (buckets["60.0"], buckets["120.0"], buckets["+Inf"]) == ("3", "3", "4")
    assert found[-2:] == [
        f"modelfleet_gateway_first_byte_seconds_sum{{{labels}}} 560.011000",
        f"modelfleet_gateway_first_byte_seconds_count{{{labels}}} 4",
    ]


def test_a_label_cannot_break_out_of_its_quotes() -> None:
    metrics = Metrics()
    metrics.turned_down('a"b\\c\nd')
    assert lines(metrics) == [r'modelfleet_gateway_refused_total{code="a\"b\\c\nd"} 1']
