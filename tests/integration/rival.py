"""Another system as its Lease shows it: held, renewed every second, and let go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fleet.api.core import Namespace
from fleet.api.keys import Key
from fleet.api.objects import Metadata
from fleet.kube.client import ApiClient
from fleet.kube.errors import AlreadyExistsError
from fleet.kube.lease import Lease, Terms
from fleet.kube.rivals import Rival

TERMS = Terms(duration=15, deadline=10, interval=1)


@asynccontextmanager
async def running(client: ApiClient, rival: Rival, namespace: str) -> AsyncIterator[None]:
    """Hold the Lease of a system as the system itself does while it runs."""
    with suppress(AlreadyExistsError):
        await client.create(Namespace(metadata=Metadata(name=namespace)))
    key = Key(namespace, rival.lease)
    lease = Lease(client.dynamic, key, identity=f"{namespace}-0", terms=TERMS)
    await lease.acquire()
    keeping = asyncio.create_task(lease.keep())
    try:
        yield
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        await lease.release()
