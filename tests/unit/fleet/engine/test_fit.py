"""Whether a model fits on an instance type, and if not, why."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api.snapshot import Demand
from fleet.catalog.skus import Sku
from fleet.engine.demand import demand_of
from fleet.engine.fit import MAX_NODES, Misfit, Size, estimate, sizes
from fleet.engine.serving import GIB, memory_needed, memory_usable, serving
from fleet.testing.workloads import workspace
from tests.unit.fleet.engine.fleets import A10, A100, A100X4, CATALOGUE, H100X2, V100, phi

T4, A100X8, MI300X = (
    "Standard_NC4as_T4_v3",
    "Standard_ND96asr_A100_v4",
    "Standard_ND96isr_MI300X_v5",
)


def sku(instance_type: str) -> Sku:
    found = CATALOGUE.sku(instance_type)
    assert found is not None
    return found


def preset(name: str, **more: Any) -> Demand:
    return demand_of(workspace(preset=name), CATALOGUE).model_copy(update=more)


@pytest.mark.parametrize(
    ("demand", "instance_type", "found"),
    [
        (phi(), A10, Size(1)),
        (phi(), A100X4, Size(4)),
        (phi(gpus_per_replica=2), A100X4, Size(2)),
        (preset("llama-3.3-70b-instruct"), H100X2, Size(2)),
        (preset("llama-3.3-70b-instruct"), A100X4, Size(4)),
    ],
)
def test_what_fits_takes_the_node_or_the_gpus_that_are_asked_for(
    demand: Demand, instance_type: str, found: Size
) -> None:
    assert estimate(demand, sku(instance_type)) == found


@pytest.mark.parametrize(
    ("demand", "instance_type", "reason"),
    [
        (
            preset("llama-3.3-70b-instruct"),
            A100,
            "1 x 80 GiB (67.2 GiB usable), 143.7 GiB a GPU are needed",
        ),
        (phi(gpus_per_replica=3), H100X2, "has 2 of the 3 GPUs that are asked for"),
        (phi(), V100, "compute capability 7.0, 8.0 is needed"),
        (phi(), T4, "compute capability 7.5, 8.0 is needed"),
        (preset("qwen3.6-35b-a3b-fp8"), A100, "compute capability 8.0, 8.9 is needed"),
        (phi(), MI300X, "MI300X has no CUDA"),
        (phi(MI300X), MI300X, "MI300X has no CUDA"),
        (phi(A100), A10, f"is not {A100}"),
        (phi(A100, gpu_models=("H100",)), A10, f"is not {A100} or H100"),
    ],
)
def test_what_does_not_fit_says_what_it_lacks(
    demand: Demand, instance_type: str, reason: str
) -> None:
    found = estimate(demand, sku(instance_type))
    assert isinstance(found, Misfit)
    assert found.reason == reason
    assert found.unwanted == reason.startswith("is not")


def test_a_model_of_fp8_runs_on_what_has_fp8_arithmetic() -> None:
    assert estimate(preset("qwen3.6-35b-a3b-fp8"), sku(H100X2)) == Size(2)


@pytest.mark.parametrize(
    ("named", "instance_type", "dtype"),
    [
        ({"instance_types": (V100,)}, V100, "half"),
        ({"instance_types": (T4,)}, T4, "half"),
        ({"gpu_models": ("v100",)}, V100, "half"),
        ({"instance_types": (A10,)}, A10, ""),
    ],
)
def test_an_older_gpu_that_the_user_named_computes_in_half_precision(
    named: dict[str, Any], instance_type: str, dtype: str
) -> None:
    demand = phi().model_copy(update=named)
    assert estimate(demand, sku(instance_type)) == Size(1)
    assert serving(demand, sku(instance_type), 1).dtype == dtype


@pytest.mark.parametrize(("instance_type", "fits"), [(A100X4, True), ("Standard_NC24s_v3", False)])
def test_fp8_weights_are_unpacked_on_a_named_gpu_that_has_bfloat16(
    instance_type: str, *, fits: bool
) -> None:
    demand = preset("qwen3.6-35b-a3b-fp8", instance_types=(instance_type,))
    found = estimate(demand, sku(instance_type))
    assert found == (Size(4) if fits else Misfit("compute capability 7.0, 8.0 is needed"))


def test_several_nodes_serve_only_where_no_type_holds_the_model_on_one() -> None:
    demand = preset("llama-3.3-70b-instruct")
    alone = sizes(demand, [sku(A100)])
    assert alone == {A100: Size(3, 3)}
    beside = sizes(demand, [sku(A100), sku(H100X2)])
    assert beside[H100X2] == Size(2)
    assert isinstance(beside[A100], Misfit)


def test_a_type_too_small_for_any_number_of_nodes_says_what_one_lacks() -> None:
    found = sizes(preset("deepseek-v3.2", compute_capability=""), [sku(V100)])[V100]
    assert isinstance(found, Misfit)
    assert found.reason.startswith("1 x 16 GiB (13.4 GiB usable), ")


def test_gpus_that_do_not_divide_among_nodes_are_no_replica() -> None:
    demand = phi(gpus_per_replica=3)
    found = sizes(demand, [sku(H100X2)])[H100X2]
    assert found == Size(3, 3)
    wide = sizes(phi(gpus_per_replica=2 * MAX_NODES + 1), [sku(H100X2)])[H100X2]
    assert wide == Misfit(f"has 2 of the {2 * MAX_NODES + 1} GPUs that are asked for")


def test_of_a_template_only_the_gpus_are_known() -> None:
    template = Demand(kind="Workspace", namespace="demo", name="own", gpus_per_replica=2)
    assert estimate(template, sku(A100X4)) == Size(2)
    lacking = Misfit("has 1 of the 2 GPUs that are asked for")
    assert sizes(template, [sku(V100)]) == {V100: lacking}


@pytest.mark.parametrize(
    ("heads", "kv_heads", "gpus", "tensor", "data"),
    [
        (24, 8, 8, 8, 1),
        (28, 4, 8, 4, 2),
        (28, 4, 4, 4, 1),
        (32, 2, 8, 8, 1),
        (40, 10, 8, 2, 4),
        (32, 1, 8, 8, 1),
        (0, 0, 8, 8, 1),
        (25, 5, 8, 1, 8),
    ],
)
def test_the_tensor_parallel_size_divides_the_heads(
    heads: int, kv_heads: int, gpus: int, tensor: int, data: int
) -> None:
    large = phi(attention_heads=heads, kv_heads=kv_heads, weights_gib="60", gpus_per_replica=gpus)
    layout = serving(large, sku(A100X8), gpus)
    assert (layout.tensor_parallel, layout.data_parallel) == (tensor, data)


def test_a_small_model_on_a_whole_node_serves_a_copy_on_each_gpu() -> None:
    layout = serving(phi(), sku(A100X4), 4)
    assert (layout.tensor_parallel, layout.data_parallel, layout.shards) == (1, 4, 1)
    told = serving(phi(gpus_per_replica=4), sku(A100X4), 4)
    assert (told.tensor_parallel, told.data_parallel, told.shards) == (4, 1, 4)


def test_several_nodes_are_the_stages_of_a_pipeline() -> None:
    layout = serving(preset("llama-3.3-70b-instruct"), sku(H100X2), 4, 2)
    assert (layout.tensor_parallel, layout.pipeline_parallel, layout.shards) == (2, 2, 4)


def test_memory_is_kaitos_estimate() -> None:
    demand = phi(context_tokens=4096)
    layout = serving(demand, sku(A10), 1)
    needed = 7.15 * 1.02 * 1.05 + 2.3 + 4096 * 131072 / GIB
    assert float(memory_needed(demand, layout)) / GIB == pytest.approx(needed)
    assert float(memory_usable(sku(A10))) / GIB == pytest.approx(24 * 0.82)
    assert float(memory_usable(sku(A100))) / GIB == pytest.approx(80 * 0.84)
    assert str(layout.gpu_memory_utilization) == "0.82"


def test_a_cache_is_divided_among_no_more_gpus_than_it_has_heads() -> None:
    demand = phi(kv_heads=2, attention_heads=24, weights_gib="0", gpus_per_replica=8)
    layout = serving(demand, sku(A100X8), 8)
    cache = float(memory_needed(demand, layout)) / GIB - 2.3
    assert layout.tensor_parallel == 8
    assert cache == pytest.approx(2048 * 131072 / GIB / 2)


@given(
    weights=st.integers(1, 2000),
    heads=st.sampled_from([0, 24, 28, 32, 40, 64, 96]),
    tokens=st.integers(1, 200_000),
    gpus=st.integers(0, 20),
    named=st.booleans(),
    types=st.lists(st.sampled_from(sorted(CATALOGUE.skus)), min_size=1, unique=True),
)
def test_what_fits_has_the_memory_the_gpus_and_whole_nodes(
    weights: int, heads: int, tokens: int, gpus: int, types: list[str], *, named: bool
) -> None:
    demand = phi(
        *(types if named else ()),
        weights_gib=str(weights),
        attention_heads=heads,
        kv_heads=0,
        context_tokens=tokens,
        gpus_per_replica=gpus,
    )
    for name, size in sizes(demand, map(sku, types)).items():
        if isinstance(size, Misfit):
            continue
        layout = serving(demand, sku(name), size.gpus, size.nodes)
        assert size.gpus <= sku(name).gpus * size.nodes
        assert size.gpus == (gpus or sku(name).gpus * size.nodes)
        assert layout.tensor_parallel * layout.data_parallel * size.nodes == size.gpus
        assert memory_needed(demand, layout) <= memory_usable(sku(name))
        assert heads % layout.tensor_parallel == 0
