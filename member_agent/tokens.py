"""The agent's token on the hub: renewed long before its end, by the agent itself, in place."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from fleet.kube.client import Client
from fleet.kube.errors import ForbiddenError, KubeError
from fleet.kube.tokens import Life, life_of
from fleet.runtime.clock import Clock
from fleet.runtime.secret_files import write

LONGEST_SLEEP: Final = 60.0
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

    async def run(self) -> None:
        """Renew for ever."""
        while True:
            seconds = await self.step()
            await asyncio.sleep(seconds)

    async def step(self) -> float:
        """Renew the token where it is time, and give the seconds until the next look."""
        life = await asyncio.to_thread(self._life)
        if life is None:
            return LONGEST_SLEEP
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
        return 1.0

    def _trouble(self, life: Life, error: Exception) -> str:
        """Say what is wrong with a token that was not renewed, and what mends it."""
        if life.expires <= self.clock():
            what = f"the token for the hub expired at {life.expires.isoformat()}"
        elif isinstance(error, ForbiddenError):
            what = "the hub refuses to renew the token"
        else:
            return "the token for the hub could not be renewed"
        namespace, account = life.account
        make = f"kubectl --namespace={namespace} create token {account} --duration=24h"
        return f"{what}; write another into {self.path}, made on the hub by: {make}"

    def _life(self) -> Life | None:
        try:
            return life_of(self.path.read_text(encoding="utf-8").strip())
        except (OSError, UnicodeDecodeError) as error:
            log.warning("the token for the hub cannot be read", extra={"why": str(error)})
            return None
