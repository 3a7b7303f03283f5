"""What engines and regions say of their work, and what it weighs."""

import pytest

from gateway.load import FULL_WEIGHT, Load, of_engine, together

VLLM = b"""\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="phi"} 3.0
vllm:num_requests_running{engine="1",model_name="phi"} 2.0
vllm:num_requests_waiting{engine="0",model_name="phi"} 4.0
vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 4.0
vllm:kv_cache_usage_perc{engine="0",model_name="a } brace"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="phi"} 0.75
vllm:kv_cache_usage_perc_total 7
"""
SGLANG = b"sglang:num_running_reqs 1\nsglang:num_queue_reqs 2\nsglang:token_usage 5e-1\n"


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        (VLLM, Load(1, 9, 4, 0.75)),
        (SGLANG, Load(1, 3, 2, 0.5)),
        (b"vllm:gpu_cache_usage_perc 0.1\n", Load(1, 0, 0, 0.1)),
        (b"vllm:num_requests_running NaN\nvllm:num_requests_waiting 1\n", Load(1, 1, 1)),
        (b"vllm:num_requests_waiting -1\nvllm:kv_cache_usage_perc +Inf\n", None),
        (b"vllm:num_requests_running\n", None),
        (b"# vllm:num_requests_running 3\n", None),
        (b"", None),
    ],
)
def test_an_engine_tells_what_runs_what_waits_and_how_full_it_is(
    metrics: bytes, expected: Load | None
) -> None:
    assert of_engine(metrics) == expected


@pytest.mark.parametrize(
    ("told", "ours", "expected"),
    [
        (Load(ready=1), 3, 300),
        (Load(ready=4), 3, 75),
        (Load(ready=1, in_flight=3), 3, 300),
        (Load(ready=1, in_flight=2), 3, 300),
        (Load(ready=1, in_flight=9), 3, 900),
        (Load(ready=2, in_flight=5, waiting=5), 3, 500),
        (Load(ready=1, kv_use=0.95), 3, 300 + 100 * FULL_WEIGHT),
        (Load(ready=0, in_flight=2, waiting=2), 0, 400),
    ],
)
def test_work_weighs_by_replica_whoever_sent_it_and_more_where_it_waits(
    told: Load, ours: int, expected: float
) -> None:
    assert told.beside(ours).weighed(100 * ours, 100) == expected


def test_a_region_sums_up_its_replicas() -> None:
    assert together([Load(1, 2, 3, 0.2), Load(1, 1, 0, 0.6)]) == Load(2, 3, 3, 0.4)
    assert together([]) == Load()
