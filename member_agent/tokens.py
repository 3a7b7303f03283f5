"""The agent's token on the hub: renewed long before its end, by the agent itself, in place."""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from fleet.api import names
from fleet.kube.client import Client
from fleet.kube.errors import ForbiddenError, KubeError
from fleet.kube.tokens import HOURS, Life, life_of
from fleet.runtime.clock import Clock
from fleet.runtime.secret_files import write
from member_agent.token_secret import TokenSecret, newest

LONGEST_SLEEP: Final = 10.0
"""Seconds; somebody else may have put another token there."""
RETRY: Final = 10.0
"""Seconds until a renewal that failed is tried again."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    client: Client
    """The hub's."""
    path: Path
    clock: Clock
    secret: TokenSecret | None = None
    """Where the token is kept besides, and where people put another."""
    cluster: str = ""
    """Which member we are; a token of another one opens nothing of ours."""
    _told: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Renew for ever."""
        while True:
            seconds = await self.step()
            await asyncio.sleep(seconds)

    async def step(self) -> float:
        """Renew the token where it is time, and give the seconds until the next look."""
        life = life_of(await self.settle())
        if life is None:
            return LONGEST_SLEEP
        self._look_at(life)
        left = life.renewal - self.clock()
        if left > timedelta():
            return min(left.total_seconds(), LONGEST_SLEEP)
        try:
            token = await self.client.request_token(life.account, life.seconds)
            await asyncio.to_thread(write, self.path, token)
        except (KubeError, OSError) as error:
            ends = {"why": str(error), "expires": life.expires.isoformat()}
            log.warning(self._trouble(life, error), extra=ends)
            return RETRY
        log.info("the token for the hub was renewed")
        await self.settle()
        return 1.0

    def _look_at(self, life: Life) -> None:
        """Say once of whom a token is that is another member's."""
        member = names.member_cluster(life.account.namespace) or ""
        if not self.cluster or member in {"", self.cluster, *self._told}:
            return
        self._told.add(member)
        mend = f"run: modelfleet join {self.cluster} --renew, or set MEMBER_AGENT_CLUSTER={member}"
        log.warning(
            "the token for the hub is another member's: the hub shows us nothing of ours",
            extra={"why": f"it is of {member}, and we are {self.cluster}", "way_out": mend},
        )

    async def settle(self) -> str:
        """Have file and Secret hold the same token, the one that lives longer, and give it."""
        mine = await asyncio.to_thread(self._read)
        stored = await self.secret.read() if self.secret else None
        token = newest(mine, stored.token if stored else "")
        if token != mine:
            await self._take(token)
        if self.secret and stored and life_of(stored.token) and token != stored.token:
            await self.secret.write(stored, token)
        return token

    async def _take(self, token: str) -> None:
        try:
            await asyncio.to_thread(write, self.path, token)
        except OSError as error:
            fields = {"why": str(error)}
            log.warning("the token for the hub cannot be written to its file", extra=fields)
        else:
            log.info("another token for the hub was found in its Secret")

    def _trouble(self, life: Life, error: Exception) -> str:
        """Say what is wrong with a token that was not renewed, and what mends it."""
        if life.expires <= self.clock():
            what = f"the token for the hub expired at {life.expires.isoformat()}"
        elif isinstance(error, ForbiddenError):
            what = "the hub refuses to renew the token"
        else:
            return "the token for the hub could not be renewed"
        return f"{what}; {self._way_out(life)}"

    def _way_out(self, life: Life) -> str:
        namespace, account = life.account
        if member := names.member_cluster(namespace):
            renew = f"modelfleet join {member} --renew"
            if self.secret:
                return f"run: {renew} --kubeconfig FILE, which puts another into {self.secret.key}"
            return f"write another into {self.path}, made by: {renew}"
        make = f"kubectl --namespace={namespace} create token {account} --duration={HOURS}h"
        place = f"Secret {self.secret.key}" if self.secret else self.path
        return f"write another into {place}, made on the hub by: {make}"

    def _read(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            if not self.secret:
                log.warning("the token for the hub cannot be read", extra={"why": str(error)})
            return ""
