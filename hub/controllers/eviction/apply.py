"""Carry out an eviction: its binding goes, and scheduling decides anew."""

from contextlib import suppress

from fleet.kube.client import Client
from fleet.kube.errors import NotFoundError
from hub.controllers.eviction.plan import Evict, Verdict


async def apply(verdict: Verdict, client: Client) -> None:
    if isinstance(verdict, Evict) and verdict.binding is not None:
        with suppress(NotFoundError):
            await client.delete(verdict.binding)
