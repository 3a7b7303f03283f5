"""What the comparison of gateways makes of its rounds, and what its parts agree on."""

from dataclasses import replace

import pytest

from benchmarks.gateway import Measured, figures
from benchmarks.gateway_load import request
from benchmarks.gateway_swap import routes
from benchmarks.gateway_upstream import complete

ALONE = Measured(
    rps=0, cpu_us=0, chunk_us=0, p50_us=100, ttft_us=50, memory_mb=0, worker_mb=0, failed=0
)
ENVOY = Measured(
    rps=10, cpu_us=40, chunk_us=20, p50_us=300, ttft_us=450, memory_mb=60, worker_mb=0, failed=0
)
OURS = Measured(
    rps=20, cpu_us=20, chunk_us=10, p50_us=200, ttft_us=250, memory_mb=90, worker_mb=30, failed=0
)


def test_a_ratio_is_the_median_of_those_within_each_round() -> None:
    slow = {"direct": ALONE, "envoy": replace(ENVOY, cpu_us=400), "ours": replace(OURS, cpu_us=100)}
    quick = {"direct": ALONE, "envoy": ENVOY, "ours": OURS}
    found = figures([quick, slow, quick])
    assert found["cpu_per_request"] == {"ours_us": 20, "envoy_us": 40, "ratio": 0.5}
    assert found["rps"] == {"ours": 20, "envoy": 10, "ratio": 2}
    assert found["memory_mb"] == {"ours": 90, "envoy": 60, "ratio": 1.5, "ours_a_worker": 30}


def test_what_the_engine_alone_takes_is_nobodys() -> None:
    found = figures([{"direct": ALONE, "envoy": ENVOY, "ours": OURS}])
    assert found["p50_added"] == {"ours_us": 100, "envoy_us": 200, "ratio": 0.5}
    assert found["ttft_added"] == {"ours_us": 200, "envoy_us": 400, "ratio": 0.5}


def test_a_peer_that_is_there_as_well_has_a_ratio_of_its_own() -> None:
    router = replace(ENVOY, cpu_us=80, ttft_us=90)
    found = figures([{"direct": ALONE, "envoy": ENVOY, "ours": OURS, "vllm_router": router}])
    theirs = {"vllm_router_us": 80, "vllm_router_ratio": 0.25}
    assert found["cpu_per_request"] == {"ours_us": 20, "envoy_us": 40, "ratio": 0.5} | theirs
    assert found["ttft_added"]["vllm_router_ratio"] == 5


def test_routes_that_are_exchanged_are_2000_and_differ_each_time() -> None:
    first, second = routes(0), routes(1)
    assert sum(len(service.endpoints) for service in first.services) == 2000
    assert first != second


@pytest.mark.parametrize("stream", [False, True])
def test_the_engine_waits_for_the_last_byte_of_what_clients_send(stream: bool) -> None:
    whole = request(stream=stream)
    assert complete(whole)
    assert not complete(whole[:-1])
    assert not complete(whole[:50])
