"""Fields of ours without which no model can be placed by what it needs."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from fleet.api.cluster import InternalMemberCluster, MemberCluster
from fleet.api.scope import Scope
from fleet.kube.client import ApiClient
from fleet.kube.fields import Field, Fields
from fleet.kube.lacks import Lack

INVENTORY = Field(MemberCluster, "status.inventory")
"""The hub may make no MemberCluster, not even in thought; it writes this with each heartbeat."""
Lacks = Callable[[], Awaitable[Sequence[Lack]]]


def needed(scope: Scope) -> tuple[Field, ...]:
    """Name what scheduling reads and writes of what a workload demands."""
    return (
        Field(scope.policy, "spec.demands", holds_list=True),
        Field(scope.binding, "spec.allocations", holds_list=True),
        Field(InternalMemberCluster, "status.inventory"),
    )


def lacks(client: ApiClient, scope: Scope) -> Lacks:
    """Ask now and then which of them the server's CRDs lack."""
    return partial(_lacks, client, Fields(client), needed(scope))


async def _lacks(client: ApiClient, fields: Fields, wanted: Sequence[Field]) -> list[Lack]:
    found = await fields.lacks(wanted)
    return [*found, INVENTORY.lack] if client.lacks(INVENTORY) else found


async def nothing() -> Sequence[Lack]:
    return ()
