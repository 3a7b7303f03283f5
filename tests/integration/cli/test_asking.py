"""What the demo asks, with OpenAI's own client, of an engine and of a server that refuses."""

from collections.abc import Iterator

import openai
import pytest

from cli.demo.asking import Refusal, Reply, ask, ask_until
from fleet.testing.apiserver import free_port
from tests.integration.cli.scripted import CUT, refusal, scripted, stream
from tests.integration.cli.scripted import Reply as Scripted
from tests.integration.local.engine_process import EngineProcess, engine_process

CHOICE = (
    b'{"id": "1", "object": "chat.completion", "created": 1, "model": "phi", "choices": [{"index":'
    b' 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "I am\\n  here"}}]}'
)
ANSWER = Scripted(
    [CHOICE], headers={"content-type": "application/json", "x-modelfleet-region": "centralus"}
)
BUSY = refusal(503, "no replica is ready", retry_after="3")


def client_of(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=url, api_key="key", max_retries=0, timeout=20)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    with engine_process(tmp_path_factory.mktemp("engine")) as running:
        yield running


def test_an_answer_is_told_in_one_line_with_its_region() -> None:
    with scripted(ANSWER) as server, client_of(server.url) as client:
        reply = ask(client, "phi", "Who?")
    assert isinstance(reply, Reply)
    assert (reply.region, reply.text) == ("centralus", "I am here")
    assert reply.seconds > 0
    assert server.heard[0]["body"]["messages"] == [{"role": "user", "content": "Who?"}]


def test_an_engine_without_a_gateway_before_it_is_of_an_unknown_region(
    engine: EngineProcess,
) -> None:
    with client_of(f"{engine.url}/v1") as client:
        reply = ask(client, "phi", "Who?")
    assert isinstance(reply, Reply)
    assert reply.region == "unknown"
    assert reply.text.startswith("This is a local stand-in for phi")


def test_a_refusal_is_an_answer_too(engine: EngineProcess) -> None:
    with client_of(f"{engine.url}/v1") as client:
        unknown = ask(client, "other", "Who?")
    with scripted(BUSY) as server, client_of(server.url) as client:
        busy = ask(client, "phi", "Who?")
    assert isinstance(unknown, Refusal)
    assert isinstance(busy, Refusal)
    assert (unknown.status, unknown.retry_after) == (404, "")
    assert "The model `other` does not exist." in unknown.message
    assert (busy.status, busy.retry_after) == (503, "3")
    assert "no replica is ready" in busy.message


def test_nobody_there_and_a_cut_line_are_refusals_without_a_status() -> None:
    with client_of(f"http://127.0.0.1:{free_port()}/v1") as client:
        nobody = ask(client, "phi", "Who?")
    with scripted(stream(CUT)) as server, client_of(server.url) as client:
        cut = ask(client, "phi", "Who?")
    for refused in (nobody, cut):
        assert isinstance(refused, Refusal)
        assert (refused.status, refused.retry_after) == (0, "")
        assert refused.message


def test_one_asks_until_somebody_answers_and_hears_of_every_refusal() -> None:
    heard = list[int]()
    with scripted(BUSY, refusal(502, "lost"), ANSWER) as server, client_of(server.url) as client:
        reply, waited = ask_until(
            client, "phi", deadline_seconds=60, refused=lambda r: heard.append(r.status)
        )
    assert (reply.region, heard, len(server.heard)) == ("centralus", [503, 502], 3)
    assert waited >= reply.seconds


def test_after_the_deadline_the_last_refusal_is_the_error() -> None:
    heard = list[Refusal]()
    with (
        scripted(BUSY) as server,
        client_of(server.url) as client,
        pytest.raises(TimeoutError, match=r"phi has not answered for .* no replica is ready"),
    ):
        ask_until(client, "phi", deadline_seconds=0, refused=heard.append)
    assert len(heard) == len(server.heard) == 1
