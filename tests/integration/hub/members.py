"""Members that are nobody's cluster: they join, and say of each Work that it is applied."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from fleet.api import names
from fleet.api.cluster import InternalMemberCluster, InternalMemberClusterStatus, MemberCluster
from fleet.api.conditions import Condition, ConditionStatus
from fleet.api.objects import Key
from fleet.api.work import Work, WorkStatus
from fleet.kube.cache import Cache
from fleet.kube.client import ApiClient
from fleet.kube.errors import KubeError
from fleet.testing.waiting import until
from tests.integration.hub.fleet import condition, joined_status, shaped

HEARTBEAT_SECONDS: Final = 600
"""Nobody sends one: three of these are to last for a whole test, on a slow machine too."""


class Members:
    """Those of one test, with their labels."""

    def __init__(
        self, client: ApiClient, namespace: str, labels: Mapping[str, Mapping[str, str]]
    ) -> None:
        self.client, self.namespace, self.labels = client, namespace, labels
        self.agent = client.as_manager("agent")
        self.not_ready: set[str] = set()
        """Members on which nothing becomes available for now."""
        self.begun: list[str] = []
        """Members in the order in which they were given something new."""
        self._works = Cache(Work)
        self._seen: dict[str, int] = {}
        self._wanted: asyncio.Queue[Work] = asyncio.Queue()
        self._works.on_change(self._wanted.put_nowait)

    async def join(self, *only: str) -> None:
        await asyncio.gather(*(self._join(name) for name in only or self.labels))

    async def join_later(self, name: str, **labels: str) -> None:
        self.labels = {**self.labels, name: labels}
        await self.join(name)

    async def _join(self, name: str) -> None:
        namespace = names.member_namespace(name)
        identity = {"kind": "ServiceAccount", "name": "member-agent", "namespace": namespace}
        metadata = {"labels": dict(self.labels[name])}
        spec = {"identity": identity, "heartbeatPeriodSeconds": HEARTBEAT_SECONDS}
        made = shaped(MemberCluster, name, metadata=metadata, spec=spec)
        await self.client.create(made)
        key = Key(namespace, name)
        await until(lambda: self.client.get(InternalMemberCluster, key))
        internal = await self.client.get(InternalMemberCluster, key)
        assert internal
        await self.agent.patch_status(internal, self._joined())

    def _joined(self) -> InternalMemberClusterStatus:
        """Report the namespace of the test: placements with one go where it is."""
        return joined_status().model_copy(update={"namespaces": {self.namespace: ""}})

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        """Apply what is given for as long as the block runs."""
        tasks = [
            asyncio.create_task(self.client.follow(self._works)),
            asyncio.create_task(self._answer()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self) -> None:
        while True:
            work = await self._wanted.get()
            if names.member_cluster(work.namespace) in self.labels:
                try:
                    await self._apply(work)
                except KubeError:
                    self._again(work)

    def _again(self, work: Work) -> None:
        """An agent does not leave it at a refusal, as long as the Work is there."""
        now = self._works.get(work.key)
        if now is not None:
            self._wanted.put_nowait(now)

    async def _apply(self, work: Work) -> None:
        cluster, generation = names.member_cluster(work.namespace) or "", work.metadata.generation
        if self._works.get(work.key) is None:
            return
        if self._seen.get(cluster) != generation:
            self._seen[cluster] = generation
            self.begun.append(cluster)
        ready = cluster not in self.not_ready
        said = (condition("Applied", generation), _is(ready, generation))
        old = {(c.type, c.status, c.observed_generation) for c in work.status.conditions}
        if old != {(c.type, c.status, c.observed_generation) for c in said}:
            await self.agent.patch_status(work, WorkStatus(conditions=said))

    def works(self) -> tuple[Work, ...]:
        spaces = map(names.member_namespace, self.labels)
        return tuple(work for space in spaces for work in self._works.all(space))

    async def ready(self, cluster: str) -> None:
        """Let what a member has become available."""
        self.not_ready.discard(cluster)
        for work in self._works.all(names.member_namespace(cluster)):
            self._wanted.put_nowait(work)


def _is(ready: bool, generation: int) -> Condition:
    available = condition("Available", generation)
    return available if ready else available.model_copy(update={"status": ConditionStatus.FALSE})
