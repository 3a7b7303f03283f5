"""How many requests an API server has answered, as it counts them itself."""

import re
import ssl
from typing import Final

import httpx

from fleet.testing.apiserver import ADMIN, ApiServer

_COUNT: Final = re.compile(r"apiserver_request_total\{([^}]*)\} (\S+)")


async def answered(server: ApiServer, verb: str, group: str) -> int:
    """Count the requests of a verb (LIST, WATCH) for the kinds of a group; watches that ended."""
    wanted = {f'verb="{verb}"', f'group="{group}"'}
    counts = _COUNT.findall(await _metrics(server))
    return sum(int(float(count)) for labels, count in counts if wanted <= set(labels.split(",")))


async def _metrics(server: ApiServer) -> str:
    trusted = ssl.create_default_context(cafile=server.ca_file)
    async with httpx.AsyncClient(verify=trusted, trust_env=False) as http:
        authorization = {"Authorization": f"Bearer {ADMIN}"}
        return (await http.get(f"{server.url}/metrics", headers=authorization)).text
