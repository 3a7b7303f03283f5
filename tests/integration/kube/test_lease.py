"""A Lease on a real API server: one leads, over lines that break and in processes that are lost."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from fleet.api.keys import Key
from fleet.kube.client import ApiClient
from fleet.kube.errors import LeaseLostError, TransientError
from fleet.kube.lease import LEASES, Lease, Terms
from fleet.testing.apiserver import ADMIN, ApiServer
from fleet.testing.relay import relay
from fleet.testing.waiting import until

TERMS = Terms(duration=4, deadline=2.5, interval=0.3)
NAME = "leader"
LEADER = """\
import asyncio, sys
from fleet.api.keys import Key
from fleet.kube.client import ApiClient
from fleet.kube.config import Connection
from fleet.kube.credentials import Token
from fleet.kube.lease import Lease, Terms

async def lead(server, ca_file, token, namespace, name):
    client = ApiClient(Connection(server=server, ca_file=ca_file, credentials=Token(token)), name)
    terms = Terms(duration=4, deadline=2.5, interval=0.3)
    lease = Lease(client.dynamic, Key(namespace, "leader"), identity=name, terms=terms)
    await lease.acquire()
    print("leads", flush=True)
    await lease.keep()

asyncio.run(lead(*sys.argv[1:]))
"""


def lease(client: ApiClient, namespace: str, name: str) -> Lease:
    return Lease(client.dynamic, Key(namespace, NAME), identity=name, terms=TERMS)


async def holder(client: ApiClient, namespace: str) -> str:
    body = await client.dynamic.get(LEASES, Key(namespace, NAME))
    return str(body["spec"].get("holderIdentity")) if body else ""


@asynccontextmanager
async def kept(mine: Lease) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(mine.keep())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, LeaseLostError):
            await task


async def test_of_many_that_make_the_lease_at_once_one_leads(
    client: ApiClient, namespace: str
) -> None:
    leases = {f"r{number}": lease(client, namespace, f"r{number}") for number in range(5)}
    tasks = {name: asyncio.create_task(each.acquire()) for name, each in leases.items()}
    await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_COMPLETED)
    leaders = [name for name, task in tasks.items() if task.done()]
    for task in tasks.values():
        task.cancel()
    assert leaders == [await holder(client, namespace)]


async def test_a_lease_that_is_let_go_passes_on_and_counts_its_holders(
    client: ApiClient, namespace: str
) -> None:
    one, two = lease(client, namespace, "one"), lease(client, namespace, "two")
    await one.acquire()
    async with kept(one):
        waiting = asyncio.create_task(two.acquire())
    await one.release()
    await waiting
    body = await client.dynamic.get(LEASES, Key(namespace, NAME))
    assert body is not None
    assert (body["spec"]["holderIdentity"], body["spec"]["leaseTransitions"]) == ("two", 1)


async def test_a_leader_that_is_cut_off_writes_nothing_before_another_takes_over(
    server: ApiServer, client: ApiClient, namespace: str
) -> None:
    async with relay(server.port) as line:
        connection = replace(server.connection(), server=f"https://127.0.0.1:{line.port}")
        distant = ApiClient(connection, "one")
        one, two = lease(distant, namespace, "one"), lease(client, namespace, "two")
        await one.acquire()
        async with kept(one) as keeping:
            waiting = asyncio.create_task(two.acquire())
            line.freeze()
            await waiting
            fenced = distant.fenced(one.prove).dynamic
            with pytest.raises(TransientError, match="could not be renewed in time"):
                await fenced.merge_patch(LEASES, Key(namespace, NAME), {"spec": {}})
            line.mend()
            with pytest.raises(LeaseLostError):
                await keeping
            with pytest.raises(LeaseLostError):
                await fenced.merge_patch(LEASES, Key(namespace, NAME), {"spec": {}})
        await distant.close()
    assert await holder(client, namespace) == "two"


async def test_what_a_lost_process_led_another_leads(
    server: ApiServer, client: ApiClient, namespace: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        LEADER,
        server.url,
        server.ca_file,
        ADMIN,
        namespace,
        "one",
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"leads\n"
        waiting = asyncio.create_task(lease(client, namespace, "two").acquire())
        await asyncio.wait({waiting}, timeout=TERMS.duration * 1.5)
        assert not waiting.done()
    finally:
        process.kill()
        await process.wait()
    await until(waiting.done)
    assert await holder(client, namespace) == "two"
