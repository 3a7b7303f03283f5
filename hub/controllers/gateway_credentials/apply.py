"""Carry out a plan, one step after another; what somebody wrote meanwhile is observed again."""

from collections.abc import Iterable

from fleet.api import names
from fleet.api.core import Secret
from fleet.api.objects import Metadata
from fleet.kube.client import Client, Patch
from hub.controllers.gateway_credentials.plan.actions import Action, WriteSecret, WriteWork


async def apply(actions: Iterable[Action], client: Client) -> None:
    for action in actions:
        match action:
            case WriteSecret(old=None):
                await client.create(_new(action))
            case WriteSecret(old=old):
                assert old is not None
                await client.json_patch(old, _change(action, old))
            case WriteWork(work):
                await client.apply(work, force=True)


def _new(action: WriteSecret) -> Secret:
    namespace, name = action.key
    metadata = Metadata(
        name=name,
        namespace=namespace,
        labels={names.MANAGED_BY: names.CATEGORY},
        annotations=action.annotations,
    )
    return Secret(metadata=metadata, type=action.type, data=action.data)


def _change(action: WriteSecret, old: Secret) -> Patch:
    """Keys made from an old view would take the place of newer ones: the version is tested."""
    ours = {name for name in old.metadata.annotations if name.startswith("modelfleet.dev/")}
    others = {n: text for n, text in old.metadata.annotations.items() if n not in ours}
    version = old.metadata.resource_version
    return [
        {"op": "test", "path": "/metadata/resourceVersion", "value": version},
        {"op": "add", "path": "/data", "value": dict(action.data)},
        {"op": "add", "path": "/metadata/annotations", "value": others | {**action.annotations}},
    ]
