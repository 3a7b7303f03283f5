from decimal import Decimal

import pytest

from fleet.catalog.catalogue import Catalogue, load
from fleet.catalog.prices import Prices

RELEASED = (
    "phi-4-mini-instruct",
    "phi-3-mini-4k-instruct",
    "phi-3-mini-128k-instruct",
    "phi-3.5-mini-instruct",
    "qwen2-7b",
    "llama-3.3-70b-instruct",
)
LOCAL_REGIONS = ("centralus", "northeurope", "japaneast")


@pytest.mark.parametrize("name", RELEASED)
def test_every_released_preset_is_there(name: str) -> None:
    preset = load().preset(name)
    assert preset is not None
    assert preset.name == name


@pytest.mark.parametrize(
    "name", ["qwen2-7b", "Qwen2-7B-Instruct", "qwen/qwen2-7b-instruct", "Qwen/Qwen2-7B-Instruct"]
)
def test_a_preset_is_found_by_name_alias_and_repository_in_any_case(name: str) -> None:
    preset = load().preset(name)
    assert preset is not None
    assert preset.name == "qwen2-7b"


def test_an_unknown_model_is_none() -> None:
    assert load().preset("phi-5") is None
    assert load().preset("nobody/phi-4-mini-instruct") is None


def test_no_two_presets_share_a_name() -> None:
    catalogue = load()
    names = [n for name in catalogue.preset_names for n in set(_preset(catalogue, name))]
    assert len(names) == len(set(names)) == len(catalogue.presets)


def _preset(catalogue: Catalogue, name: str) -> tuple[str, ...]:
    preset = catalogue.preset(name)
    assert preset is not None
    return preset.names


def test_every_preset_can_be_sized() -> None:
    for preset in load().presets.values():
        assert preset.weights_gib > 0
        assert preset.kv_bytes_per_token > 0
        assert preset.token_limit >= 4096
        assert preset.disk_gib == int(preset.weights_gib + 80)


def test_arithmetic_asks_for_the_gpu_that_has_it() -> None:
    for preset in load().presets.values():
        if preset.quantization == "fp8":
            assert preset.compute_capability == Decimal("8.9")
        if not preset.quantization:
            assert (preset.dtype, preset.compute_capability) == ("bfloat16", Decimal("8.0"))


@pytest.mark.parametrize(
    ("instance_type", "model", "gpus", "memory", "capability"),
    [
        ("Standard_NC24ads_A100_v4", "A100", 1, 80, "8.0"),
        ("Standard_NC6s_v3", "V100", 1, 16, "7.0"),
        ("Standard_NC4as_T4_v3", "T4", 1, 16, "7.5"),
        ("Standard_ND96asr_A100_v4", "A100", 8, 40, "8.0"),
        ("p6-b200.48xlarge", "B200", 8, 180, "10.0"),
    ],
)
def test_an_instance_type_has_its_gpus(
    instance_type: str, model: str, gpus: int, memory: int, capability: str
) -> None:
    sku = load().sku(instance_type)
    assert sku is not None
    assert (sku.gpu_model, sku.gpus, sku.gpu_memory_gib) == (model, gpus, memory)
    assert sku.compute_capability == Decimal(capability)


def test_a_gpu_without_cuda_says_so() -> None:
    sku = load().sku("Standard_ND96isr_MI300X_v5")
    assert sku is not None
    assert sku.compute_capability is None


def test_whatever_has_a_price_has_its_facts() -> None:
    catalogue = load()
    priced = {name for types in catalogue.prices.by_capacity.values() for name in types}
    assert priced <= set(catalogue.skus)


@pytest.mark.parametrize("region", LOCAL_REGIONS)
def test_the_local_regions_sell_what_published_manifests_name(region: str) -> None:
    types = load().prices.instance_types(region)
    assert {"Standard_NC24ads_A100_v4", "Standard_NC6s_v3"} <= set(types)


def test_a_price_is_exact_and_of_its_region_and_capacity_type() -> None:
    catalogue = load()
    assert catalogue.price("Standard_NC24ads_A100_v4", "centralus") == Decimal("4.15")
    assert catalogue.price("Standard_NC24ads_A100_v4", "japaneast") == Decimal("5.326")
    assert catalogue.price("Standard_NC24ads_A100_v4", "centralus", "spot") is None
    spot = catalogue.price("a3-highgpu-1g", "us-central1", "spot")
    on_demand = catalogue.price("a3-highgpu-1g", "us-central1")
    assert spot is not None
    assert on_demand is not None
    assert spot < on_demand


def test_other_prices_may_take_the_place_of_the_list() -> None:
    ours = Prices({"on-demand": {"Standard_NC6s_v3": {"centralus": Decimal(1)}}})
    catalogue = load().with_prices(ours)
    assert catalogue.price("Standard_NC6s_v3", "centralus") == Decimal(1)
    assert catalogue.price("Standard_NC6s_v3", "japaneast") is None
    assert load().price("Standard_NC6s_v3", "japaneast") == Decimal("4.194")
