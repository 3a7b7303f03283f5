"""The Secret on the member that holds the agent's token: it outlives the pod and its files."""

import asyncio
import base64
import binascii
import logging
from dataclasses import dataclass
from typing import Final

from fleet.api.core import Secret
from fleet.api.objects import Key
from fleet.kube.client import Client, swap
from fleet.kube.errors import KubeError
from fleet.kube.tokens import life_of

TOKEN: Final = "token"  # noqa: S105
"""Key in the Secret's data."""
PATIENCE_SECONDS: Final = 5.0
"""For the member's API server: an agent starts without it too."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stored:
    """The Secret as it was found."""

    secret: Secret

    @property
    def token(self) -> str:
        try:
            return base64.b64decode(self.secret.data.get(TOKEN, ""), validate=True).decode().strip()
        except (binascii.Error, UnicodeDecodeError):
            return ""


@dataclass(frozen=True, slots=True)
class TokenSecret:
    client: Client
    """The member's."""
    key: Key

    async def read(self) -> Stored | None:
        """None where it cannot be read, or is not there."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                secret = await self.client.get(Secret, self.key)
        except (KubeError, TimeoutError) as error:
            fields = {"secret": str(self.key), "why": str(error) or "it takes too long"}
            log.warning("the Secret with the token for the hub cannot be read", extra=fields)
            return None
        return Stored(secret) if secret else None

    async def write(self, stored: Stored, token: str) -> None:
        """Put a token there, unless somebody has put another one there since."""
        old, new = stored.secret.data.get(TOKEN), base64.b64encode(token.encode()).decode()
        if old is None:
            return
        try:
            await self.client.json_patch(stored.secret, swap(f"/data/{TOKEN}", old, new))
        except KubeError as error:
            fields = {"secret": str(self.key), "why": str(error)}
            log.warning("the token for the hub could not be put into its Secret", extra=fields)


def newest(file: str, stored: str) -> str:
    """Choose between the token of the file and that of the Secret: the one that lives longer.

    What nobody can read replaces no token whose end is known.
    """
    if not file or not stored:
        return file or stored
    mine, theirs = life_of(file), life_of(stored)
    if theirs is None:
        return file if mine else stored
    return file if mine and mine.expires >= theirs.expires else stored
