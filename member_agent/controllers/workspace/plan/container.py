"""The engine's container for a preset."""

from decimal import Decimal
from typing import Final

from fleet.api.names import GPU, POD_INDEX
from fleet.api.workspace import Workspace
from fleet.engine.serving import Serving
from member_agent.controllers.workspace.plan.actions import Body, Need, Observed
from member_agent.controllers.workspace.plan.adapters import (
    adapter_mounts,
    adapter_volumes,
    lora_flags,
)
from member_agent.controllers.workspace.plan.arguments import (
    PORT,
    WEIGHTS,
    arguments,
    command,
    served_name,
)
from member_agent.controllers.workspace.plan.config import Settings
from member_agent.controllers.workspace.plan.draining import HUNG_GRACE_SECONDS, before_stop

TOKEN: Final = "HF_TOKEN"  # noqa: S105
CONFIG_MOUNT: Final = "/mnt/config"
FIRST_IS_HEALTHY: Final = (
    '[ "$POD_INDEX" != 0 ] || python3 -c "from urllib.request import urlopen; '
    f"urlopen('http://127.0.0.1:{PORT}/health')\""
)
START_PERIOD: Final = 2
"""Seconds between looks at an engine that starts."""
LONGEST_START: Final = 180 * 60
SHORTEST_START: Final = 30 * 60
BASE_START: Final = 15 * 60
START_PER_GIB: Final = 18
"""Seconds that a GiB of weights may take to be fetched and loaded (KAITO's value)."""


def container(
    workspace: Workspace, need: Need, name: str, observed: Observed, settings: Settings
) -> Body:
    """Write the container of the pods of the StatefulSet `name`."""
    preset = workspace.inference and workspace.inference.preset
    model = observed.catalogue.preset(preset.name) if preset else None
    if model is None:
        raise ValueError("the Workspace has no preset that is known")
    layout = need.serving or Serving(tensor_parallel=need.gpus)
    gpus = {GPU: str(need.gpus)}
    args = arguments(model, layout, served_name(workspace, model), lora_flags(workspace), settings)
    return {
        "name": workspace.name,
        "image": observed.rules.image,
        "command": list(command(need)),
        "args": list(args),
        "env": _environment(workspace, need, name),
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "resources": {"requests": gpus, "limits": gpus},
        "volumeMounts": _mounts(workspace),
        "lifecycle": before_stop(),
        **_probes(need, model.weights_gib),
    }


def volumes(workspace: Workspace) -> list[Body]:
    config = workspace.inference.config if workspace.inference else ""
    named = [{"name": "config-volume", "configMap": {"name": config}}] if config else []
    memory = {"name": "dshm", "emptyDir": {"medium": "Memory"}}
    return [
        memory,
        {"name": "model-weights-volume", "emptyDir": {}},
        *named,
        *adapter_volumes(workspace),
    ]


def _mounts(workspace: Workspace) -> list[Body]:
    config = workspace.inference.config if workspace.inference else ""
    named = [{"name": "config-volume", "mountPath": CONFIG_MOUNT, "readOnly": True}]
    return [
        {"name": "dshm", "mountPath": "/dev/shm"},  # noqa: S108
        {"name": "model-weights-volume", "mountPath": WEIGHTS},
        *(named if config else ()),
        *adapter_mounts(workspace),
    ]


def _environment(workspace: Workspace, need: Need, name: str) -> list[Body]:
    index = {"fieldPath": f"metadata.labels['{POD_INDEX}']"}
    env: list[Body] = [{"name": "POD_INDEX", "valueFrom": {"fieldRef": index}}]
    preset = workspace.inference and workspace.inference.preset
    secret = preset.preset_options.model_access_secret if preset else ""
    if secret:
        key = {"name": secret, "key": TOKEN, "optional": True}
        env.append({"name": TOKEN, "valueFrom": {"secretKeyRef": key}})
    if need.nodes > 1:
        leader = f"{name}-0.{workspace.name}-headless.{workspace.namespace}"
        env.append({"name": "NODES", "value": str(need.nodes)})
        env.append({"name": "LEADER", "value": leader})
    return env


def _probes(need: Need, weights_gib: Decimal) -> Body:
    """Ask the engine for its health; of several nodes only the first one answers."""
    look: Body = {"httpGet": {"path": "/health", "port": PORT}}
    if need.nodes > 1:
        look = {"exec": {"command": ["/bin/sh", "-c", FIRST_IS_HEALTHY]}}
    health: Body = look | {"timeoutSeconds": 5}
    start = {"periodSeconds": START_PERIOD, "failureThreshold": start_seconds(weights_gib) // 2}
    soon = {"terminationGracePeriodSeconds": HUNG_GRACE_SECONDS}
    return {
        "startupProbe": health | start | soon,
        "readinessProbe": health | {"periodSeconds": 5, "failureThreshold": 3},
        "livenessProbe": health | {"periodSeconds": 10, "failureThreshold": 3} | soon,
    }


def start_seconds(weights_gib: Decimal) -> int:
    """Give an engine time to fetch and load its weights, as KAITO does."""
    needed = int(BASE_START + START_PER_GIB * weights_gib)
    return min(max(needed, SHORTEST_START), LONGEST_START)
