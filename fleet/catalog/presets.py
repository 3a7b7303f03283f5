"""Model presets: what is known of a model before anybody has run it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ModelPreset:
    name: str
    """What users write, what the engine serves and clients ask for."""
    repo: str
    """The weights' repository, `org/model`; a name of the preset too."""
    weights_gib: Decimal
    """Memory that one copy of the weights takes."""
    kv_bytes_per_token: int
    """Bytes that the KV cache takes for a token, over all layers, with 16-bit entries."""
    token_limit: int
    """The longest context that the model was made for."""
    dtype: str
    """As vLLM's `--dtype`; "auto" where the weights are quantized."""
    compute_capability: Decimal
    """The lowest CUDA compute capability that its arithmetic runs on: 8.0 bf16, 8.9 fp8."""
    disk_gib: int
    """Room that the image and the weights need on a node."""
    license: str
    aliases: tuple[str, ...] = ()
    quantization: str = ""
    """How the weights are stored: fp8, awq, mxfp4; empty for none."""
    attention_heads: int = 0
    """A tensor-parallel size must divide them; 0 is not known."""
    kv_heads: int = 0
    """GPUs that the KV cache divides among: 1 where each keeps all of it; 0 is not known."""
    needs_access_token: bool = False
    """Whether its publisher gives the weights only to those who asked."""
    vllm_args: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that it may be called by, in lower case."""
        return tuple(name.lower() for name in (self.name, self.repo, *self.aliases))


def by_name(presets: Iterable[ModelPreset]) -> Mapping[str, ModelPreset]:
    return {name: preset for preset in presets for name in preset.names}
