"""Leader election: of several replicas one writes, and it stops when it cannot say so in time."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fleet.api.keys import Key
from fleet.kube.dynamic import Body, DynamicClient
from fleet.kube.errors import ConflictError, KubeError, LeaseLostError, TransientError
from fleet.kube.resources import ApiResource

LEASES = ApiResource("coordination.k8s.io/v1", "Lease", "leases", namespaced=True)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Seconds."""

    duration: float = 15.0
    """After which a leader that is not heard of is taken to be gone."""
    deadline: float = 10.0
    """After which a leader that cannot renew stops: before another may take over."""
    interval: float = 5.0
    """Between renewals, and between looks at another's lease."""


class Lease:
    """A Lease object, and what this replica has seen of it.

    Another's clock is not believed: a lease is over when it has not changed for its duration.
    """

    def __init__(
        self,
        client: DynamicClient,
        key: Key,
        identity: str,
        clock: Callable[[], datetime],
        *,
        terms: Terms | None = None,
    ) -> None:
        self._client, self._key, self._identity = client, key, identity
        self._clock, self._terms = clock, terms or Terms()
        self._seen: dict[str, Any] = {}
        self._seen_at = 0.0
        self._renewed = 0.0
        """When the last renewal that was answered was asked for: it was written no earlier."""

    async def acquire(self) -> None:
        """Wait until this replica leads, with time left to renew."""
        loop, patience = asyncio.get_running_loop(), self._terms.deadline - self._terms.interval
        while True:
            self._renewed = loop.time()
            try:
                async with asyncio.timeout(patience):
                    leading = await self._try()
                if leading:
                    log.info("leading", extra={"lease": str(self._key), "as": self._identity})
                    return
            except ConflictError:
                pass
            except (KubeError, TimeoutError) as error:
                fields = {"lease": str(self._key), "why": str(error) or "no answer in time"}
                log.warning("cannot take the lease", extra=fields)
            await asyncio.sleep(self._terms.interval)

    async def keep(self) -> None:
        """Renew for ever; LeaseLostError where another leads, or nobody heard us in time."""
        loop, due = asyncio.get_running_loop(), self._renewed + self._terms.interval
        while True:
            await asyncio.sleep(due - loop.time())
            began, end = loop.time(), self._renewed + self._terms.deadline
            try:
                async with asyncio.timeout_at(end):
                    leading = began < end and await self._try()
            except (TransientError, ConflictError) as error:
                log.info("renewing again", extra={"lease": str(self._key), "why": str(error)})
                due = loop.time() + self._terms.deadline / 10
                continue
            except TimeoutError:
                leading = False
            if not leading:
                raise LeaseLostError(f"the lease {self._key} is lost")
            self._renewed, due = began, began + self._terms.interval

    async def release(self) -> None:
        """Let another take over at once."""
        body = await self._client.get(LEASES, self._key)
        if body and body["spec"].get("holderIdentity") == self._identity:
            await self._write(body, {"holderIdentity": "", "leaseDurationSeconds": 1})

    async def _try(self) -> bool:
        """Take or renew the lease; whether it is ours now."""
        body = await self._client.get(LEASES, self._key)
        if body is None:
            await self._create()
            return True
        spec, now = body["spec"], asyncio.get_running_loop().time()
        if spec != self._seen:
            self._seen, self._seen_at = spec, now
        ours = spec.get("holderIdentity") == self._identity
        duration = spec.get("leaseDurationSeconds") or self._terms.duration
        if not ours and spec.get("holderIdentity") and now < self._seen_at + duration:
            return False
        await self._write(body, self._claim(spec, ours=ours))
        return True

    def _claim(self, spec: Body, *, ours: bool) -> Body:
        now = self._clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        transitions = spec.get("leaseTransitions", 0)
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": round(self._terms.duration) or 1,
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
