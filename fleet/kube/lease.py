"""Leader election: of several replicas one writes, and it does not while it cannot say so."""

import asyncio
import logging
import math
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from fleet.api.keys import Key
from fleet.kube.client import ApiClient
from fleet.kube.dynamic import Body, DynamicClient
from fleet.kube.errors import ConflictError, KubeError, LeaseLostError, TransientError
from fleet.kube.resources import ApiResource
from fleet.runtime import clock

LEASES = ApiResource("coordination.k8s.io/v1", "Lease", "leases", namespaced=True)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Seconds. A leader that dies right after a renewal is replaced within 15:

        2   until the other looks, and sees that renewal
    +   9   in which it sees no other; it looks again as these end
    =  11   and 4 are left for three requests (look, look again, take) and the first write.
    """

    duration: float = 9.0
    """After which a leader that is not heard of is taken to be gone."""
    deadline: float = 6.0
    """After which a leader that cannot renew writes nothing more; what it sent by then has until
    the end of the duration to be answered, and is given up before another may write."""
    interval: float = 2.0
    """Between renewals, and between looks at another's lease."""

    @classmethod
    def of(cls, duration: float) -> Self:
        """Give the terms of another duration, in the same proportions."""
        return cls(duration=duration, deadline=duration * 2 / 3, interval=duration * 2 / 9)


def replica() -> str:
    """Name this process as no other is named, even where pods share the name of their node."""
    return f"{socket.gethostname()}-{secrets.token_hex(4)}"


def shared(client: ApiClient, namespace: str, name: str, seconds: float) -> "Lease | None":
    """Give the Lease of a program's replicas; without a namespace the program is one alone."""
    if not namespace:
        return None
    return Lease(client.dynamic, Key(namespace, name), terms=Terms.of(seconds), now=client.now)


class Lease:
    """A Lease object, and what this replica has seen of it.

    Another's clock is not believed: a lease is over when it has not changed for its duration.
    """

    def __init__(
        self,
        client: DynamicClient,
        key: Key,
        *,
        identity: str = "",
        terms: Terms | None = None,
        now: clock.Clock = clock.now,
        elapsed: Callable[[], float] = clock.elapsed,
    ) -> None:
        """Take a client without a fence: this is what the fence asks."""
        self._client, self._key, self._identity = client, key, identity or replica()
        self._terms, self._now, self._elapsed = terms or Terms(), now, elapsed
        self._seen: dict[str, Any] = {}
        self._seen_at = 0.0
        self._renewed = -math.inf
        """When the last renewal that was answered was asked for: it was written no earlier."""
        self._led = False

    @property
    def _patience(self) -> float:
        """For one try: the next ones are to be in time too."""
        return self._terms.deadline - self._terms.interval

    def prove(self) -> float:
        """Give the seconds before which nobody else writes: a Fence.

        TransientError where we have not renewed in time, LeaseLostError where another leads.
        """
        now = self._elapsed()
        if now < self._renewed + self._terms.deadline:
            return self._renewed + self._terms.duration - now
        if self._led:
            raise TransientError(f"the lease {self._key} could not be renewed in time")
        raise LeaseLostError(f"the lease {self._key} is not ours")

    async def acquire(self) -> None:
        """Wait until this replica leads, with time left to renew."""
        while True:
            began = self._elapsed()
            try:
                async with asyncio.timeout(self._patience):
                    leading = await self._take()
                if leading:
                    self._renewed, self._led = began, True
                    log.info("leading", extra={"lease": str(self._key), "as": self._identity})
                    return
            except ConflictError:
                pass
            except (KubeError, TimeoutError) as error:
                fields = {"lease": str(self._key), "why": str(error) or "no answer in time"}
                log.warning("cannot take the lease", extra=fields)
            await asyncio.sleep(self._pause())

    async def keep(self) -> None:
        """Renew for ever; LeaseLostError where another leads.

        A server that is away is waited for: whoever finds its lease as it left it has been the
        only one to lead, and goes on.
        """
        due, said = self._renewed + self._terms.interval, ""
        while True:
            await asyncio.sleep(due - self._elapsed())
            began = self._elapsed()
            try:
                async with asyncio.timeout(self._patience):
                    await self._renew()
            except (TransientError, ConflictError, TimeoutError) as error:
                due = self._elapsed() + self._terms.deadline / 10
                if said != (why := str(error) or "no answer in time"):
                    log.info("renewing again", extra={"lease": str(self._key), "why": why})
                said = why
                continue
            self._renewed, due, said = began, began + self._terms.interval, ""

    async def release(self) -> None:
        """Let another take over at once; we write no more."""
        self._renewed, led, self._led = -math.inf, self._led, False
        if not led:
            return
        body = await self._client.get(LEASES, self._key)
        if body and body["spec"].get("holderIdentity") == self._identity:
            await self._write(body, {"holderIdentity": "", "leaseDurationSeconds": 1})

    async def _take(self) -> bool:
        """Take the lease where it is nobody's any more; whether it is ours now."""
        body = await self._client.get(LEASES, self._key)
        spec = body["spec"] if body else {}
        self._look_at(spec)
        if not self._free(spec):
            return False
        if body is None:
            await self._create()
        else:
            ours = spec.get("holderIdentity") == self._identity
            await self._write(body, self._claim(spec, ours=ours))
        return True

    def _look_at(self, spec: Body) -> None:
        """Note what is new in another's lease: it lives."""
        if not spec or spec == self._seen:
            return
        holder, before = spec.get("holderIdentity"), self._seen.get("holderIdentity")
        if holder not in ("", before, self._identity):
            log.info("another leads", extra={"lease": str(self._key), "who": holder})
        self._seen, self._seen_at = spec, self._elapsed()

    def _free(self, spec: Body) -> bool:
        """Say whether nobody else can lead; one whose lease was deleted does for a while."""
        told = spec or self._seen
        if told.get("holderIdentity", "") in ("", self._identity):
            return True
        return self._elapsed() >= self._over

    @property
    def _over(self) -> float:
        """When what was seen last is over."""
        return self._seen_at + (self._seen.get("leaseDurationSeconds") or self._terms.duration)

    def _pause(self) -> float:
        """Give the seconds until the next look: no later than the end of another's lease."""
        left = self._over - self._elapsed()
        return min(self._terms.interval, left) if left > 0 else self._terms.interval

    async def _renew(self) -> None:
        body = await self._client.get(LEASES, self._key)
        if body is None:
            await self._create()
        elif body["spec"].get("holderIdentity") == self._identity:
            await self._write(body, self._claim(body["spec"], ours=True))
        else:
            self._renewed, self._led = -math.inf, False
            raise LeaseLostError(f"the lease {self._key} is lost")

    def _claim(self, spec: Body, *, ours: bool) -> Body:
        now = self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        transitions = spec.get("leaseTransitions", 0)
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": math.ceil(self._terms.duration),
            "acquireTime": spec.get("acquireTime", now) if ours else now,
            "renewTime": now,
            "leaseTransitions": transitions if ours else transitions + 1,
        }

    async def _create(self) -> None:
        namespace, name = self._key
        await self._client.create(
            {
                "apiVersion": LEASES.api_version,
                "kind": LEASES.kind,
                "metadata": {"namespace": namespace, "name": name},
                "spec": self._claim({"leaseTransitions": -1}, ours=False),
            }
        )

    async def _write(self, body: Body, spec: Body) -> None:
        """Write only where nobody else has written since."""
        version = body["metadata"]["resourceVersion"]
        patch = {"metadata": {"resourceVersion": version}, "spec": spec}
        await self._client.merge_patch(LEASES, self._key, patch)
