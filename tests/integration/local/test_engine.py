"""The local engine as a process, asked with OpenAI's own client, and told to misbehave."""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from fleet.testing.apiserver import free_port
from fleet.testing.waiting import until
from tests.integration.local.engine_process import (
    ENDING_SECONDS,
    EngineProcess,
    engine_process,
)

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello!"}]
OPENING = "This is a local stand-in for phi"
QUICK = {"LOCAL_ENGINE_FIRST_TOKEN_SECONDS": "0", "LOCAL_ENGINE_TOKEN_SECONDS": "0"}
METRICS = (
    "vllm:num_requests_running",
    "vllm:num_requests_waiting",
    "vllm:kv_cache_usage_perc",
    "vllm:prompt_tokens_total",
    "vllm:generation_tokens_total",
    "vllm:num_preemptions_total",
    "vllm:prefix_cache_queries_total",
    "vllm:prefix_cache_hits_total",
    "vllm:request_success_total",
    "vllm:time_to_first_token_seconds_bucket",
    "vllm:inter_token_latency_seconds_bucket",
    "vllm:e2e_request_latency_seconds_sum",
    "vllm:request_queue_time_seconds_count",
)
"""What KAITO's and vLLM's dashboards and autoscalers ask for."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    with engine_process(tmp_path_factory.mktemp("engine"), **QUICK) as running:
        yield running


@pytest.fixture
def engine(shared: EngineProcess) -> Iterator[EngineProcess]:
    """An engine that is well when a test begins."""
    yield shared
    shared.tell(mode="ok")


@pytest.fixture
def client(engine: EngineProcess) -> Iterator[openai.OpenAI]:
    with client_of(engine) as made:
        yield made


def client_of(engine: EngineProcess) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{engine.url}/v1", api_key="none", max_retries=0, timeout=20)


def metric(engine: EngineProcess, name: str) -> float:
    text = httpx.get(f"{engine.url}/metrics").text
    (line,) = (line for line in text.splitlines() if line.startswith(f"vllm:{name}{{"))
    return float(line.rpartition(" ")[2])


def test_its_models_say_whose_they_are(client: openai.OpenAI) -> None:
    (model,) = client.models.list().data
    assert (model.id, model.owned_by) == ("phi", "modelfleet-local")


def test_a_chat_is_answered_whole(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="phi", messages=HELLO, max_tokens=12)
    (choice,) = answer.choices
    assert str(choice.message.content).startswith(OPENING)
    assert (choice.message.role, choice.finish_reason) == ("assistant", "length")
    assert answer.usage
    assert answer.usage.completion_tokens == 12
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 12


def test_a_stream_says_the_same_and_ends_with_its_usage(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="phi", messages=HELLO, max_tokens=12)
    stream = client.chat.completions.create(
        model="phi",
        messages=HELLO,
        max_tokens=12,
        stream=True,
        stream_options={"include_usage": True},
    )
    *chunks, last = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == whole.choices[0].message.content
    assert (last.choices, last.usage) == ([], whole.usage)
    assert {chunk.id for chunk in chunks} == {last.id}
    assert chunks[-1].choices[0].finish_reason == "length"


def test_a_text_is_completed_and_stops_where_it_is_told(client: openai.OpenAI) -> None:
    text = client.completions.create(model="phi", prompt="The quiet river", max_tokens=40)
    said = text.choices[0].text
    stop = said.split()[3]
    cut = client.completions.create(
        model="phi", prompt="The quiet river", max_tokens=40, stop=[stop], stream=False
    )
    assert cut.choices[0].text == said.partition(stop)[0]
    assert cut.choices[0].finish_reason == "stop"


def test_an_unknown_model_is_openai_s_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="other", messages=HELLO)
    assert (caught.value.param, caught.value.type) == ("model", "NotFoundError")
    assert "The model `other` does not exist." in caught.value.message


def test_a_bad_field_is_openai_s_error_with_its_name(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="phi", messages=HELLO, max_tokens=10**9)
    assert caught.value.param == "max_tokens"
    assert "maximum context length is 32768 tokens" in caught.value.message


def test_its_metrics_have_vllm_s_names(engine: EngineProcess, client: openai.OpenAI) -> None:
    client.chat.completions.create(model="phi", messages=HELLO, max_tokens=3)
    text = httpx.get(f"{engine.url}/metrics").text
    samples = {line.partition("{")[0] for line in text.splitlines() if line.startswith("vllm:")}
    assert set(METRICS) - samples == set()
    assert 'model_name="phi"' in text


def test_a_refusal_ends_when_it_is_told_so(engine: EngineProcess, client: openai.OpenAI) -> None:
    engine.tell(mode="refuse", retry_after=7)
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="phi", messages=HELLO)
    assert caught.value.status_code == 503
    assert caught.value.response.headers["retry-after"] == "7"
    assert engine.healthy()
    engine.tell(mode="ok")
    assert client.chat.completions.create(model="phi", messages=HELLO, max_tokens=1).choices


def test_a_stream_that_hangs_goes_on_when_it_is_told_so(
    engine: EngineProcess, client: openai.OpenAI
) -> None:
    engine.tell(mode="hang", after_chunks=2)
    before = metric(engine, "generation_tokens_total")
    stream = client.chat.completions.create(model="phi", messages=HELLO, max_tokens=12, stream=True)
    came = [chunk.choices[0].delta.content or "" for chunk in islice(stream, 3)]
    assert "".join(came) == "This is"
    assert metric(engine, "num_requests_running") == 1
    assert metric(engine, "generation_tokens_total") == before + 2
    engine.tell(mode="ok")
    came += [chunk.choices[0].delta.content or "" for chunk in stream]
    assert "".join(came).startswith(OPENING)
    assert metric(engine, "generation_tokens_total") == before + 12


def test_a_stream_that_is_cut_is_an_error_of_the_connection(
    engine: EngineProcess, client: openai.OpenAI
) -> None:
    engine.tell(mode="die", after_chunks=2)
    stream = client.chat.completions.create(model="phi", messages=HELLO, stream=True)
    came = list[str]()
    with pytest.raises((openai.APIConnectionError, httpx.TransportError)):
        came += (chunk.choices[0].delta.content or "" for chunk in stream)
    assert engine.process.poll() is None


def test_an_engine_that_is_told_to_exit_is_gone_with_its_connections(tmp_path: Path) -> None:
    with engine_process(tmp_path, **QUICK) as engine, client_of(engine) as client:
        engine.tell(mode="exit")
        with pytest.raises(openai.APIConnectionError):
            client.chat.completions.create(model="phi", messages=HELLO)
        assert engine.process.wait(ENDING_SECONDS) == 1
        assert "told to exit" in engine.log.read_text()


def test_a_request_is_answered_to_its_end_when_the_engine_is_told_to_end(tmp_path: Path) -> None:
    slow = {"LOCAL_ENGINE_FIRST_TOKEN_SECONDS": "0", "LOCAL_ENGINE_TOKEN_SECONDS": "0.05"}
    with engine_process(tmp_path, **slow) as engine, client_of(engine) as client:
        stream = client.chat.completions.create(
            model="phi", messages=HELLO, max_tokens=12, stream=True
        )
        first = next(iter(stream))
        engine.process.terminate()
        rest = [chunk.choices[0] for chunk in stream]
        assert first.choices[0].delta.role == "assistant"
        assert rest[-1].finish_reason == "length"
        assert engine.process.wait(ENDING_SECONDS) == 0


async def test_an_engine_that_still_loads_listens_not_and_ends_at_once(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path, LOCAL_ENGINE_STARTUP_SECONDS="600")
    try:
        await until(lambda: "standing in for org/phi" in engine.log.read_text())
        assert not engine.healthy()
        assert engine.end() == 0
    finally:
        engine.process.kill()
        engine.process.wait()


@pytest.mark.parametrize(
    ("flags", "environ", "code", "message"),
    [
        (["serve"], {}, 2, "name the model: serve MODEL"),
        (["serve", "m"], {"LOCAL_ENGINE_TOKEN_SECONDS": "x"}, 2, "LOCAL_ENGINE_TOKEN_SECONDS"),
        (["serve", "m", "--host", "192.0.2.1"], {}, 1, "cannot listen"),
    ],
)
def test_an_engine_that_cannot_start_says_why_in_one_line(
    flags: list[str], environ: dict[str, str], code: int, message: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli.local.engine", *flags, f"--port={free_port()}"],
        env={**os.environ, **environ, "LOCAL_ENGINE_LOG": "container"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == code
    last = done.stdout.splitlines()[-1]
    assert message in last
    assert last.split()[1:4] == ["stdout", "F", "ERROR"]
    assert "Traceback" not in done.stdout + done.stderr
