"""Look at what is around a hub: the gateway, the tools, and a local fleet's own files."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import httpx

from cli.doctor.checks import OLDEST_TOOLS
from cli.doctor.facts import GatewayFacts, HubFacts, Version
from cli.endpoint import Endpoint
from cli.local.credentials import Credentials
from cli.local.daemons import ask
from cli.local.errors import LocalError
from cli.local.execute import execute
from cli.local.golang import parse_version
from cli.local.topology import HUB, Fleet
from cli.programs import NoProgramError, program
from fleet.kube.tokens import life_of

PATIENCE_SECONDS: Final = 10.0
VERSION_WORDS: Final = {"kubectl": ("version", "--client"), "helm": ("version", "--short")}


async def gateway(endpoint: Endpoint) -> GatewayFacts:
    """Ask a gateway whether it is ready, and for the models with the user's key."""
    facts = GatewayFacts(url=endpoint.url)
    bearer = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
    try:
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
            ready = await client.get(_root(endpoint.url, "/readyz"))
            listed = await client.get(f"{endpoint.url}/models", headers=bearer)
            models = len(listed.json()["data"]) if listed.is_success else 0
    except httpx.HTTPError as error:
        return replace(facts, trouble=str(error) or type(error).__name__)
    except (ValueError, KeyError, TypeError):
        return replace(facts, trouble="what it answers is no list of models")
    return replace(facts, ready=ready.status_code, listed=listed.status_code, models=models)


def _root(url: str, path: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


async def tools(environ: Mapping[str, str]) -> dict[str, Version | None]:
    """Ask each tool for its version."""
    found = await asyncio.gather(*(_version(name, environ) for name in OLDEST_TOOLS))
    return dict(zip(OLDEST_TOOLS, found, strict=True))


async def _version(name: str, environ: Mapping[str, str]) -> Version | None:
    try:
        binary = program(name, environ)
        said = await execute([binary, *VERSION_WORDS[name]], deadline=PATIENCE_SECONDS)
    except NoProgramError:
        return None
    except (LocalError, OSError):
        return ()
    return parse_version(said.decode(errors="replace"))


async def with_program(hub: HubFacts, fleet: Fleet) -> HubFacts:
    """Add whether a local fleet's hub runs: it has no Lease."""
    url = f"http://127.0.0.1:{fleet.ports(HUB).health}/readyz"
    return replace(hub, program=(await ask(url)).ready)


def tokens(fleet: Fleet) -> dict[str, datetime]:
    """Read when the tokens end that a local fleet's agents have."""
    secrets = Credentials(fleet.secrets)
    lives = {name: life_of(_text(secrets.agent_token(name))) for name in fleet.members}
    return {name: life.expires for name, life in lives.items() if life}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
