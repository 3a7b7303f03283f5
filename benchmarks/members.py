"""Members that join a hub and answer their Works, without clusters behind them."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fleet.api import names
from fleet.api.cluster import (
    InternalMemberCluster,
    InternalMemberClusterStatus,
    MemberCluster,
    MemberClusterStatus,
)
from fleet.api.conditions import Condition, ConditionStatus
from fleet.api.keys import Key
from fleet.api.work import Work, WorkStatus
from fleet.kube.cache import Cache
from fleet.kube.client import ApiClient
from fleet.runtime import clock
from fleet.testing.waiting import until

PATIENCE_SECONDS: Final = 300.0
HEARTBEAT_SECONDS: Final = 600
"""Nobody sends one here: three of these are to last for the whole of a measurement."""


async def join(client: ApiClient, name: str) -> None:
    """Make a member, and answer for its agent once the hub has made its namespace."""
    await client.create(member(name))
    key = Key(names.member_namespace(name), name)
    await until(lambda: client.get(InternalMemberCluster, key), seconds=PATIENCE_SECONDS)
    internal = await client.get(InternalMemberCluster, key)
    assert internal
    await client.patch_status(internal, _joined())


def member(name: str, labels: Mapping[str, str] | None = None) -> MemberCluster:
    namespace = names.member_namespace(name)
    identity = {"kind": "ServiceAccount", "name": "member-agent", "namespace": namespace}
    metadata = {"name": name, "labels": dict(labels or {})}
    spec = {"identity": identity, "heartbeatPeriodSeconds": HEARTBEAT_SECONDS}
    return MemberCluster.model_validate({"metadata": metadata, "spec": spec})


@dataclass(frozen=True, slots=True)
class Span:
    """What one member had to do: from when it saw its Work until it had reported on it."""

    began: float
    ended: float
    """Both on the clock of time.perf_counter."""


class Members:
    """Every member's agent at once: it joins, and has each Work available some time later."""

    def __init__(self, client: ApiClient, seconds: float) -> None:
        self.client, self.seconds = client, seconds
        self.spans: dict[str, Span] = {}
        """The last change of each cluster."""
        self._seen: dict[Key, int] = {}
        self._answers = asyncio.TaskGroup()

    async def run(self) -> None:
        """Answer until cancelled, or an answer fails."""
        clusters, works = Cache(InternalMemberCluster), Cache(Work)
        clusters.on_change(self._meet)
        works.on_change(self._take)
        async with self._answers as answers:
            answers.create_task(self.client.follow(clusters))
            await self.client.follow(works)

    def _meet(self, cluster: InternalMemberCluster) -> None:
        if not cluster.status.agent_status:
            self._answers.create_task(self._join(cluster))

    async def _join(self, cluster: InternalMemberCluster) -> None:
        await self.client.patch_status(cluster, _joined())

    def _take(self, work: Work) -> None:
        if work.deleting or self._seen.get(work.key) == work.metadata.generation:
            return
        self._seen[work.key] = work.metadata.generation
        self._answers.create_task(self._answer(work, time.perf_counter()))

    async def _answer(self, work: Work, began: float) -> None:
        await asyncio.sleep(self.seconds)
        await self.client.patch_status(work, _available(work.metadata.generation))
        cluster = work.key.namespace.removeprefix(names.MEMBER_NAMESPACE_PREFIX)
        self.spans[cluster] = Span(began, time.perf_counter())


def _joined() -> InternalMemberClusterStatus:
    return InternalMemberClusterStatus.model_validate(_heard(clock.now()))


def heard(since: datetime) -> MemberClusterStatus:
    """Report as the hub does of a member that has joined, with a new heartbeat."""
    return MemberClusterStatus.model_validate(_heard(since))


def _heard(since: datetime) -> dict[str, Any]:
    said = [_true(kind, 1) for kind in ("Joined", "Healthy")]
    conditions = [each.model_copy(update={"last_transition_time": since}).dump() for each in said]
    beat = clock.now().isoformat()
    agent = {"type": "MemberAgent", "conditions": conditions, "lastReceivedHeartbeat": beat}
    return {"agentStatus": [agent]}


def _available(generation: int) -> WorkStatus:
    return WorkStatus(
        conditions=tuple(_true(kind, generation) for kind in ("Applied", "Available"))
    )


def _true(kind: str, generation: int) -> Condition:
    return Condition(
        type=kind,
        status=ConditionStatus.TRUE,
        reason="AsItShould",
        message="",
        observed_generation=generation,
        last_transition_time=clock.now(),
    )
