"""What several controllers read off an update run. Pure."""

from fleet.api.conditions import find
from fleet.api.objects import Key
from fleet.api.staged_update import UpdateRun


def finished(run: UpdateRun) -> bool:
    """Say whether a run has come to its end: it could not be planned, has failed or succeeded."""
    planned, succeeded = (find(run.status.conditions, k) for k in ("Initialized", "Succeeded"))
    return (planned is not None and planned.false) or succeeded is not None


def placement_of(run: UpdateRun) -> Key:
    return Key(run.namespace, run.spec.placement_name)


def snapshot_index(run: UpdateRun) -> str:
    """Name the resource snapshot that a run gives; empty where it has not chosen one yet."""
    return run.status.resource_snapshot_index_used or run.spec.resource_snapshot_index
