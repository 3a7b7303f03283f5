"""An agent whose hub refuses it, or is not there: the member's own work goes on meanwhile."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest

from fleet.api.names import digest
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer
from fleet.testing.relay import Relay, relay
from fleet.testing.waiting import until
from tests.integration.member_agent.conftest import AgentProcess
from tests.integration.member_agent.test_work import Placed
from tests.integration.member_agent.test_workspace import Served, pool, some


@pytest.fixture
async def served(client: ApiClient, request: pytest.FixtureRequest) -> Served:
    await client.dynamic.apply(pool())
    return Served(client, f"away-{digest(request.node.name)}")


@pytest.fixture
async def line(server: ApiServer) -> AsyncIterator[Relay]:
    async with relay(server.port) as between:
        yield between


def _exchange(file: Path, token: str) -> str:
    old = file.read_text(encoding="utf-8")
    file.write_text(token, encoding="utf-8")
    return old


async def _ready(environ: Mapping[str, str]) -> tuple[int, str]:
    url = f"http://{environ['MEMBER_AGENT_HEALTH_LISTEN']}/readyz"
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(url)
    return answer.status_code, answer.text


async def test_a_wrong_token_is_named_and_a_right_one_is_taken_up(
    agent: AgentProcess, environ: Mapping[str, str], served: Served
) -> None:
    file = Path(environ["MEMBER_AGENT_HUB_TOKEN_FILE"])
    right = _exchange(file, "somebody-elses")
    await agent.start(waiting_for=f"Unauthorized: it does not believe TokenFile({file})", times=1)
    code, waiting = await _ready(environ)
    assert (code, waiting.split()[:2]) == (503, ["waiting", "for"])
    assert "Work" in waiting
    assert agent.said("somebody-elses") == 0
    await served.write()
    await until(some(served.claims))
    _exchange(file, right)

    async def ready() -> bool:
        return (await _ready(environ))[0] == httpx.codes.OK

    await until(ready)


async def test_a_hub_that_is_away_at_the_start_is_waited_for(
    environ: Mapping[str, str], line: Relay, served: Served, client: ApiClient, tmp_path: Path
) -> None:
    line.cut()
    far = {**environ, "MEMBER_AGENT_HUB_URL": f"https://127.0.0.1:{line.port}"}
    agent = AgentProcess(tmp_path, far)
    try:
        await agent.start(waiting_for="controller starts", times=3)
        await served.write()
        await until(some(served.claims))
        line.mend()
        placed = Placed(client, served.key.name)
        await placed.write(one={"k": "v"})
        await until(lambda: placed.said("Applied"))
    finally:
        await agent.kill()
