"""What a ServiceAccount's token says of itself: whose it is, and for how long."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from fleet.api.keys import Key

HOURS: Final = 24
"""An agent's token on the hub is asked for with this life, and renewed with the life it had."""
RENEW_AT: Final = 0.8
"""Part of a token's life after which the next one is asked for."""
SHORTEST_LIFE: Final = 600
"""Seconds; the API server signs none for less."""
_ACCOUNT_PARTS: Final = 4


@dataclass(frozen=True, slots=True)
class Life:
    """Holds no secret."""

    account: Key
    issued: datetime
    expires: datetime

    @property
    def renewal(self) -> datetime:
        """When the next token is to be asked for."""
        return self.issued + (self.expires - self.issued) * RENEW_AT

    @property
    def seconds(self) -> int:
        """What to ask for, so that the next one lives as long."""
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
    if len(parts) != _ACCOUNT_PARTS or parts[:2] != ["system", "serviceaccount"]:
        return None
    return Life(Key(parts[2], parts[3]), issued, expires)
