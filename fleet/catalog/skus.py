"""GPU instance types: what a node of each type has."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Sku:
    provider: str
    instance_type: str
    gpu_model: str
    """As its maker calls it: A100, L40S, MI300X."""
    gpus: int
    gpu_memory_gib: int
    """Of each GPU."""
    compute_capability: Decimal | None = None
    """CUDA's; None where the GPU has no CUDA."""
    nvme: bool = False
    """Whether it has a local NVMe disk."""

    @property
    def total_memory_gib(self) -> int:
        return self.gpus * self.gpu_memory_gib
