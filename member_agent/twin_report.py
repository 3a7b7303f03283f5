"""Tell on the hub that we stand aside for another cluster of our name, beside what that reports."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from fleet.api.cluster import InternalMemberCluster, InternalMemberClusterStatus
from fleet.api.conditions import Condition, ConditionStatus, since
from fleet.api.objects import Key
from fleet.kube.cache import Cache
from fleet.kube.client import Client
from fleet.kube.errors import KubeError
from fleet.runtime.clock import Clock
from member_agent.controllers.inventory.status import SOLE
from member_agent.twin import Twin

REASON: Final = "AnotherClusterReports"


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinReport:
    hub: Client
    """As a field manager of its own: the other's report stays as it is."""
    membership: Cache[InternalMemberCluster]
    key: Key
    twin: Twin
    clock: Clock

    async def run(self) -> None:
        """Say it at once, and once in a period for as long as it is so."""
        changed = asyncio.Event()
        self.twin.on_change(changed.set)
        while True:
            membership = self.membership.get(self.key)
            if self.twin.found and membership:
                with suppress(KubeError):
                    await self.hub.patch_status(membership, self.status(membership))
            period = membership.spec.heartbeat_period_seconds if membership else None
            with suppress(TimeoutError):
                async with asyncio.timeout(period if self.twin.found else None):
                    await changed.wait()
            changed.clear()

    def status(self, membership: InternalMemberCluster) -> InternalMemberClusterStatus:
        now = self.clock()
        asked = f"a second cluster has a token of {self.key.name} and stands aside"
        condition = Condition(
            type=SOLE,
            status=ConditionStatus.FALSE,
            reason=REASON,
            message=f"{asked}, as it said last at {now:%H:%M:%S} UTC; join it by another name",
            observed_generation=membership.metadata.generation,
            last_transition_time=now,
        )
        return InternalMemberClusterStatus(
            conditions=(since(membership.status.conditions, condition),)
        )
