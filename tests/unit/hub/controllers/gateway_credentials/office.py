"""A hub that issues what gateways know each other by, and members that apply it when they like."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any

from fleet.api.cluster import MemberCluster
from fleet.api.core import Secret
from fleet.api.keys import Key
from fleet.api.work import Work
from fleet.kube.cache import Cache
from fleet.testing.client import FakeClient
from fleet.testing.heard import Heard
from fleet.testing.workloads import NOON, condition, member
from hub.certificates import Certificate, FreshKeys, read
from hub.controllers.gateway_credentials.handlers import SHARED, GatewayCredentials
from hub.controllers.gateway_credentials.observe import Reads
from hub.controllers.gateway_credentials.plan.authorities import Rules
from hub.gateway_hosts import GatewayHosts

DAY = timedelta(days=1)
RULES = Rules(authority=90 * DAY, certificate=9 * DAY, credential=6 * DAY, overlap=DAY)
HUB = "modelfleet-system"
NAMES = ("models.example", "10.0.0.9")
"""Further names of the global gateway."""


def decoded(data: dict[str, str]) -> dict[str, str]:
    return {name: base64.b64decode(text).decode() for name, text in data.items()}


def certificates(bundle: str) -> list[Certificate]:
    end = "-----END CERTIFICATE-----\n"
    found = [read(part + end) for part in bundle.split(end) if part.strip()]
    return [each for each in found if each]


class Office:
    def __init__(self, *members: str, rules: Rules = RULES) -> None:
        self.client, self.heard = FakeClient(), Heard()
        self.now: datetime = NOON
        self.reads = Reads(Cache(Secret, namespace=HUB), Cache(MemberCluster), Cache(Work))
        self.controller = GatewayCredentials(
            client=self.client,
            caches=self.reads,
            hosts=GatewayHosts(self.reads.clusters, self.reads.works, NAMES),
            clock=lambda: self.now,
            maker=FreshKeys(),
            rules=rules,
            more_names=NAMES,
            tell=self.heard.tell,
        )
        for name in members:
            self.join(name)

    def leave(self, name: str) -> None:
        """Have a member begin to leave: its agent has not let go yet."""
        body = self.member(name).manifest()
        body["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x"]}
        self.client.put(body)

    def join(self, name: str, url: str | None = "") -> None:
        """Let a member in with an address, with its usual one, or with none."""
        body: dict[str, Any] = member(name, gateway=url is not None).manifest()
        body.setdefault("status", {})
        body["status"]["conditions"] = [
            json.loads(json.dumps(condition("Joined", "True"), default=str))
        ]
        if url:
            body["status"]["gateway"]["url"] = url
        self.client.put(body)

    async def round(self) -> None:
        for key in (SHARED, *self.reads.clusters.keys()):
            for cache in self.reads:
                await self.client.relist(cache)
            await self.controller.reconcile(key)

    async def settle(self) -> int:
        """Reconcile until nothing is written any more; give the rounds that it took."""
        for rounds in range(10):
            for cache in self.reads:
                await self.client.relist(cache)
            before = self.client.server.version
            await self.round()
            if self.client.server.version == before:
                return rounds
        raise AssertionError("it writes for ever")

    async def pass_time(self, span: timedelta) -> None:
        self.now += span
        await self.settle()

    def member(self, name: str) -> MemberCluster:
        (found,) = (c for c in self.client.all(MemberCluster) if c.name == name)
        return found

    def secret(self, name: str) -> dict[str, str]:
        (found,) = (s for s in self.client.all(Secret) if s.key == Key(HUB, name))
        return decoded(dict(found.data))

    def work(self, name: str) -> Work | None:
        found = (w for w in self.client.all(Work) if w.namespace == f"fleet-member-{name}")
        return next(found, None)

    def delivered(self, name: str) -> tuple[dict[str, str], tuple[str, ...]]:
        """Give a member's TLS Secret and the credentials that its gateway accepts."""
        work = self.work(name)
        assert work is not None
        tls, credential = work.spec.workload.manifests
        return decoded(tls["data"]), tuple(decoded(credential["data"])["credential"].split())

    def certificate(self, name: str) -> Certificate:
        said = read(self.delivered(name)[0]["tls.crt"])
        assert said is not None
        return said

    def apply(self, name: str) -> None:
        """Let a member's agent apply its Work."""
        work = self.work(name)
        assert work is not None
        applied = condition("Applied", "True") | {"observedGeneration": work.metadata.generation}
        body = json.loads(json.dumps({"conditions": [applied]}, default=str))
        self.client.put(work.manifest() | {"status": body})

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(self.secret("modelfleet-gateway-credential")["credential"].split())

    @property
    def bundle(self) -> list[Certificate]:
        return certificates(self.secret("modelfleet-gateway-tls")["ca.crt"])
