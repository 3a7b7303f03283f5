"""Tokens as an API server signs them, as far as anybody but a server can read one."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from fleet.api.keys import Key

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = 24 * 3600
AGENT = Key("fleet-member-us", "member-agent")


def signed(issued: datetime = NOON, seconds: float = DAY, **claims: Any) -> str:
    """Write a token as the API server signs it, as far as an agent can read it."""
    start = int(issued.timestamp())
    subject = f"system:serviceaccount:{AGENT.namespace}:{AGENT.name}"
    payload = {"sub": subject, "iat": start, "exp": start + int(seconds), **claims}
    text = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    return f"header.{text}.signature"
