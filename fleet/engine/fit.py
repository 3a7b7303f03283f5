"""Say whether a workload fits on an instance type, with how many GPUs and nodes for a replica."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from fleet.api.snapshot import Demand
from fleet.catalog.skus import Sku
from fleet.engine.serving import BF16, GIB, memory_needed, memory_usable, serving

MAX_NODES = 16
"""Nodes of one replica; beyond it a model is not served, it is moved between machines."""


@dataclass(frozen=True, slots=True)
class Size:
    """What one replica takes."""

    gpus: int
    """On all of its nodes."""
    nodes: int = 1


@dataclass(frozen=True, slots=True)
class Misfit:
    reason: str
    unwanted: bool = False
    """Whether the user asked for something else, so that nothing need be said of this type."""


def sizes(demand: Demand, skus: Iterable[Sku]) -> dict[str, Size | Misfit]:
    """Size a replica on each type; over several nodes only where no type holds it on one."""
    types = list(skus)
    single = {sku.instance_type: estimate(demand, sku) for sku in types}
    if any(isinstance(size, Size) for size in single.values()):
        return single
    return {sku.instance_type: estimate(demand, sku, several_nodes=True) for sku in types}


@lru_cache(maxsize=4096)
def estimate(demand: Demand, sku: Sku, *, several_nodes: bool = False) -> Size | Misfit:
    """Take the fewest nodes that hold a replica, or say what they lack.

    A template's pod is one pod: it is not spread over nodes as an engine spreads a model.
    """
    for test in (_named, _arithmetic):
        if misfit := test(demand, sku):
            return misfit
    size = _size(demand, sku, 1)
    if not isinstance(size, Misfit) or not several_nodes or not demand.model:
        return size
    larger = (_size(demand, sku, nodes) for nodes in range(2, MAX_NODES + 1))
    return next((found for found in larger if isinstance(found, Size)), size)


def named(demand: Demand, sku: Sku) -> bool:
    """Whether the user asked for this very type of instance or GPU."""
    models = {model.lower() for model in demand.gpu_models}
    return sku.instance_type in demand.instance_types or sku.gpu_model.lower() in models


def _named(demand: Demand, sku: Sku) -> Misfit | None:
    wanted = (*demand.instance_types, *demand.gpu_models)
    if not wanted or named(demand, sku):
        return None
    return Misfit(f"is not {' or '.join(wanted)}", unwanted=True)


def _arithmetic(demand: Demand, sku: Sku) -> Misfit | None:
    """Hold the GPU to the model's arithmetic.

    One that the user named goes on with `--dtype=half` in place of bfloat16, or with fp8 weights
    that are unpacked into bfloat16.
    """
    needed, has = Decimal(demand.compute_capability or 0), sku.compute_capability
    if has is None:
        return Misfit(f"{sku.gpu_model} has no CUDA")
    if named(demand, sku):
        needed = BF16 if needed > BF16 else Decimal(0)
    if has >= needed:
        return None
    return Misfit(f"compute capability {has}, {needed} is needed")


def _size(demand: Demand, sku: Sku, nodes: int) -> Size | Misfit:
    gpus = demand.gpus_per_replica or sku.gpus * nodes
    if gpus > sku.gpus * nodes:
        return Misfit(f"has {sku.gpus * nodes} of the {gpus} GPUs that are asked for")
    if gpus % nodes:
        return Misfit(f"{gpus} GPUs do not divide among {nodes} nodes")
    layout = serving(demand, sku, gpus, nodes)
    needed = memory_needed(demand, layout)
    if demand.model and needed > memory_usable(sku):
        return Misfit(f"{_gpus(gpus, sku)}, {_gib(needed)} a GPU are needed")
    return Size(gpus, nodes)


def _gpus(count: int, sku: Sku) -> str:
    usable = _gib(memory_usable(sku))
    return f"{count} x {sku.gpu_memory_gib} GiB ({usable} usable)"


def _gib(size: Fraction) -> str:
    return f"{float(size) / GIB:.1f} GiB"
