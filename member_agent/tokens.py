"""The agent's token on the hub: renewed long before its end, by the agent itself, in place."""

import asyncio
import base64
import binascii
import json
import logging
import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from fleet.api.objects import Key
from fleet.kube.client import Client
from fleet.kube.errors import ForbiddenError, KubeError
from fleet.runtime.clock import Clock

RENEW_AT: Final = 0.8
"""Part of a token's life after which the next one is asked for."""
LONGEST_SLEEP: Final = 60.0
"""Seconds; somebody else may have put another token there."""
RETRY: Final = 10.0
"""Seconds until a renewal that failed is tried again."""
SHORTEST_LIFE: Final = 600
"""Seconds; the API server signs none for less."""
ACCOUNT_PARTS: Final = 4
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Life:
    """What a ServiceAccount's token says of itself; it holds no secret."""

    account: Key
    issued: datetime
    expires: datetime

    @property
    def renewal(self) -> datetime:
        return self.issued + (self.expires - self.issued) * RENEW_AT

    @property
    def seconds(self) -> int:
        return max(SHORTEST_LIFE, round((self.expires - self.issued).total_seconds()))


def life_of(token: str) -> Life | None:
    """Read a token's life and account; None where it is not a ServiceAccount's that ends."""
    try:
        payload = token.split(".")[1]
        content: Any = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        parts = str(content["sub"]).split(":")
        issued, expires = (datetime.fromtimestamp(content[name], UTC) for name in ("iat", "exp"))
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return None
    if len(parts) != ACCOUNT_PARTS or parts[:2] != ["system", "serviceaccount"]:
        return None
    return Life(Key(parts[2], parts[3]), issued, expires)


def write(path: Path, token: str) -> None:
    """Put a token in the place of another: a reader finds one of them, whole, and no one else."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(token)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


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
