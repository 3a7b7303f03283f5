"""Carry out a plan: server-side apply, to objects that are the deployment's own."""

from collections.abc import Iterable

from fleet.kube.client import Client
from hub.controllers.model_deployment.plan import Write


async def apply(writes: Iterable[Write], client: Client) -> None:
    """What was observed is ours, whoever changed it; what was not there may be another's by now."""
    for write in writes:
        await client.apply(write.resource, force=bool(write.resource.metadata.uid))
