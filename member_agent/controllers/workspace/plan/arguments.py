"""The engine's command line for a preset."""

from collections.abc import Iterator
from typing import Final

from fleet.api.names import MODEL
from fleet.api.workspace import Workspace
from fleet.catalog.presets import ModelPreset
from fleet.engine.serving import Serving
from member_agent.controllers.workspace.plan.actions import Need
from member_agent.controllers.workspace.plan.config import Settings, flags

PORT: Final = 5000
WEIGHTS: Final = "/workspace/weights"
COMMAND: Final = ("vllm", "serve")
SEVERAL_NODES: Final = (
    'exec vllm serve "$@" --nnodes="$NODES" --node-rank="$POD_INDEX" --master-addr="$LEADER" '
    '$([ "$POD_INDEX" = 0 ] || echo --headless)'
)
"""The first pod answers requests; the others compute for it."""


def command(need: Need) -> tuple[str, ...]:
    return COMMAND if need.nodes == 1 else ("/bin/sh", "-c", SEVERAL_NODES, "vllm")


def arguments(
    preset: ModelPreset,
    serving: Serving,
    served_name: str,
    adapters: tuple[str, ...],
    settings: Settings,
) -> tuple[str, ...]:
    """Write the model and its flags; the user's come last, for the engine takes the last."""
    ours = (*_ours(preset, serving, served_name), *preset.vllm_args)
    return (preset.repo, *ours, *adapters, *flags(settings))


def _ours(preset: ModelPreset, serving: Serving, served_name: str) -> Iterator[str]:
    yield f"--served-model-name={served_name}"
    yield f"--port={PORT}"
    yield f"--download-dir={WEIGHTS}"
    yield "--max-model-len=auto"
    yield f"--gpu-memory-utilization={serving.gpu_memory_utilization}"
    yield f"--tensor-parallel-size={serving.tensor_parallel}"
    if serving.pipeline_parallel > 1:
        yield f"--pipeline-parallel-size={serving.pipeline_parallel}"
    if serving.data_parallel > 1:
        yield f"--data-parallel-size={serving.data_parallel}"
    dtype = serving.dtype or preset.dtype
    if dtype != "auto":
        yield f"--dtype={dtype}"


def served_name(workspace: Workspace, preset: ModelPreset | None) -> str:
    """Name what clients ask for: as told, else the preset, and for a template its Workspace."""
    told = workspace.metadata.annotations.get(MODEL)
    return told or (preset.name if preset else workspace.name)
