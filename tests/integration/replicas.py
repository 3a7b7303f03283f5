"""Two replicas of a program that have much to do: one is lost, another stopped, amid its work."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import yaml

from fleet.api.core import Namespace
from fleet.api.objects import Metadata
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import REPLICAS, ApiServer
from fleet.testing.audit import Write, turns, twice
from fleet.testing.waiting import until
from tests.integration.process import ProgramProcess

P = TypeVar("P", bound=ProgramProcess)
FIRST, SECOND = REPLICAS
NAMESPACE = "replicas"
LEASE_SECONDS = 6.0
MUCH, AMID = 32, 6
"""Objects to do, and those that are done when the leader is lost."""
STANDS_BY = "another leads"


class Job(Protocol):
    """Much of one kind of work."""

    async def begin(self) -> None:
        """Ask for all of it at once."""

    async def count(self) -> int:
        """Count what is begun."""

    async def done(self) -> bool: ...

    async def outcome(self) -> object:
        """Describe all that came of it, without the names and times that differ anyway."""

    def written(self) -> list[Write]:
        """Give what either replica has written for it."""


@asynccontextmanager
async def pair(client: ApiClient, make: Callable[[str], P]) -> AsyncIterator[Mapping[str, P]]:
    """Start two, each as a user of its own: the first leads, the second stands by."""
    await client.apply(Namespace(metadata=Metadata(name=NAMESPACE)))
    made = {user: make(user) for user in REPLICAS}
    try:
        await made[FIRST].start()
        await made[SECOND].start(waiting_for=STANDS_BY, times=1)
        yield made
    finally:
        for each in made.values():
            await each.kill()


def kubeconfig(server: ApiServer, home: Path) -> str:
    """Write how the user that the folder is named after, whose writes are audited, comes in."""
    home.mkdir()
    path = home / "kubeconfig.yaml"
    path.write_text(yaml.safe_dump(server.kubeconfig(home.name)), encoding="utf-8")
    return str(path)


async def succeed(
    replicas: Mapping[str, ProgramProcess], jobs: tuple[Job, Job, Job], lease: str
) -> None:
    """Each takes over from the other, what comes of it is the same, and nothing is done twice."""
    calm, lost, stopped = jobs
    first, second = replicas[FIRST], replicas[SECOND]
    await calm.begin()
    await until(calm.done)
    assert turns(calm.written()) == [FIRST]
    undisturbed = await calm.outcome()

    await _amid(lost, lambda: first.tell(signal.SIGKILL))
    await _is_as(undisturbed, lost, [FIRST, SECOND])

    await first.start(waiting_for=STANDS_BY, times=1)
    await _amid(stopped, lambda: second.tell(signal.SIGSTOP))
    await until(stopped.done)
    second.tell(signal.SIGCONT)
    assert await second.ended() == 1
    assert second.said(f"the lease {NAMESPACE}/{lease} is lost")
    await _is_as(undisturbed, stopped, [SECOND, FIRST])


async def _amid(job: Job, lose: Callable[[], None]) -> None:
    """Lose the leader while it has much to do."""
    beginning = asyncio.create_task(job.begin())
    await until(lambda: _some(job))
    lose()
    assert await job.count() < MUCH
    await beginning


async def _some(job: Job) -> bool:
    return await job.count() >= AMID


async def _is_as(undisturbed: object, job: Job, writers: list[str]) -> None:
    await until(job.done)
    assert await job.outcome() == undisturbed
    assert (seen := turns(job.written())) == writers, seen
    assert twice(job.written()) == []
