"""The engine's settings that a user keeps in a ConfigMap, in KAITO's form."""

import json
from collections.abc import Mapping
from typing import Any, Final

import yaml

from fleet.api.core import ConfigMap
from fleet.api.workspace import Workspace
from member_agent.controllers.workspace.plan.actions import Refusal

FILE: Final = "inference_config.yaml"
MAX_MODEL_LEN: Final = "max-model-len"
Settings = Mapping[str, Any]


def settings_of(workspace: Workspace, config: ConfigMap | None) -> Settings | Refusal:
    """Read vLLM's settings by the names of its flags; none where no ConfigMap is named."""
    name = workspace.inference.config if workspace.inference else ""
    if not name:
        return {}
    if config is None:
        return Refusal(f"inference.config: there is no ConfigMap {workspace.namespace}/{name}")
    text = config.data.get(FILE)
    if text is None:
        return Refusal(f"inference.config: ConfigMap {config.key} lacks the key {FILE}")
    return _parse(text, f"inference.config: ConfigMap {config.key}, {FILE}")


def _parse(text: str, where: str) -> Settings | Refusal:
    try:
        content = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        return Refusal(f"{where} is not YAML: {' '.join(str(error).split())}")
    vllm = (content.get("vllm") or {}) if isinstance(content, dict) else None
    if not isinstance(vllm, dict):
        return Refusal(f"{where} is not a map with a map `vllm`")
    return {str(key).replace("_", "-"): value for key, value in vllm.items()}


def context_tokens(settings: Settings) -> int:
    """Give the context that the user asks for; 0 where he leaves it to the engine."""
    value = settings.get(MAX_MODEL_LEN)
    return value if isinstance(value, int) and value > 0 else 0


def flags(settings: Settings) -> tuple[str, ...]:
    """Write settings as the engine's flags; `false` is vLLM's `--no-` form."""
    return tuple(flag for key in sorted(settings) for flag in _flag(key, settings[key]))


def _flag(key: str, value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, bool):
        return (f"--{key}" if value else f"--no-{key}",)
    if isinstance(value, (dict, list)):
        return (f"--{key}={json.dumps(value, sort_keys=True)}",)
    return (f"--{key}={value}",)
