"""How an engine spreads one replica of a model over the GPUs that it gets."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from fleet.api.snapshot import Demand
from fleet.catalog.skus import Sku

BF16 = Decimal("8.0")
"""The lowest compute capability with bfloat16 arithmetic."""
GIB = 2**30
UTILIZATION = Fraction(84, 100)
UTILIZATION_BY_GPU = {"A10": Fraction(82, 100)}
"""Share of a GPU's memory that the engine takes; the A10 keeps more for itself (KAITO's values)."""
OVERHEAD = Fraction(23, 10) * GIB
"""Bytes a GPU that are neither weights nor cache: CUDA graphs, activations (KAITO's value)."""
GROWTH = Fraction(102, 100) * Fraction(105, 100)
"""What the weights take once loaded, over what they take on disk (KAITO's value)."""


@dataclass(frozen=True, slots=True)
class Serving:
    """vLLM's parallel sizes and arithmetic for one replica."""

    tensor_parallel: int
    pipeline_parallel: int = 1
    data_parallel: int = 1
    dtype: str = ""
    """As `--dtype`; empty is the preset's own."""
    gpu_memory_utilization: Decimal = Decimal("0.84")

    @property
    def shards(self) -> int:
        """GPUs that share one copy of the weights."""
        return self.tensor_parallel * self.pipeline_parallel


def serving(demand: Demand, sku: Sku, gpus: int, nodes: int = 1) -> Serving:
    """Divide a model among `gpus` GPUs on `nodes` equal nodes.

    A whole node taken for a model that needs little of one GPU serves as many copies as it has
    GPUs; otherwise one copy takes the largest part of the node that its heads divide into.
    """
    a_node = max(1, gpus // nodes)
    sizes = tensor_sizes(demand, a_node)
    small = nodes == 1 and not demand.gpus_per_replica and _weights(demand) * 2 < _memory(sku)
    tensor = sizes[0] if small else sizes[-1]
    return Serving(
        tensor_parallel=tensor,
        pipeline_parallel=nodes,
        data_parallel=a_node // tensor,
        dtype=dtype(demand, sku),
        gpu_memory_utilization=_decimal(_utilization(sku)),
    )


def tensor_sizes(demand: Demand, gpus: int) -> list[int]:
    """List the tensor-parallel sizes that vLLM takes for the model and that divide the GPUs."""
    return [size for size in range(1, gpus + 1) if gpus % size == 0 and _divides(size, demand)]


def _divides(size: int, demand: Demand) -> bool:
    heads, kv_heads = demand.attention_heads, demand.kv_heads
    shared = not kv_heads or kv_heads % size == 0 or size % kv_heads == 0
    return shared and heads % size == 0


def dtype(demand: Demand, sku: Sku) -> str:
    """Name the arithmetic of a GPU that is too old for the model's own."""
    needed = Decimal(demand.compute_capability or 0)
    has = sku.compute_capability or Decimal(0)
    return "half" if has < BF16 <= needed else ""


def memory_needed(demand: Demand, layout: Serving) -> Fraction:
    """Bytes on each GPU: its part of the weights, of the shortest useful cache, and the overhead.

    KAITO's estimator, with the KV cache divided as the engine divides it: among the pipeline's
    stages, and among no more GPUs than there are KV heads.
    """
    among = min(layout.tensor_parallel, demand.kv_heads or layout.tensor_parallel)
    cache = Fraction(demand.context_tokens * demand.kv_bytes_per_token)
    shard = _weights(demand) * GROWTH / layout.shards
    return shard + OVERHEAD + cache / (layout.pipeline_parallel * among)


def memory_usable(sku: Sku) -> Fraction:
    """Bytes of each GPU that the engine takes."""
    return _memory(sku) * _utilization(sku)


def _weights(demand: Demand) -> Fraction:
    return Fraction(Decimal(demand.weights_gib)) * GIB


def _memory(sku: Sku) -> Fraction:
    return Fraction(sku.gpu_memory_gib) * GIB


def _utilization(sku: Sku) -> Fraction:
    return UTILIZATION_BY_GPU.get(sku.gpu_model, UTILIZATION)


def _decimal(share: Fraction) -> Decimal:
    return Decimal(share.numerator) / Decimal(share.denominator)
