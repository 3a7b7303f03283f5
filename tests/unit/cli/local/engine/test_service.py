"""An engine, asked over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from cli.local.engine.app import Engine
from cli.local.engine.commandline import parse
from cli.local.engine.settings import Settings

CHAT = {"model": "phi", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 8}
QUICK = Settings(first_token_seconds=0, token_seconds=0)
LINE = "serve org/phi --served-model-name phi p --host 127.0.0.1 --port 0 --max-model-len 64"


class Asked:
    """An engine, and a client that asks it."""

    def __init__(self, engine: Engine, client: httpx.AsyncClient) -> None:
        self.engine, self.client = engine, client

    async def chat(self, **fields: Any) -> httpx.Response:
        return await self.client.post("/v1/chat/completions", json=CHAT | fields)

    async def tell(self, **fault: Any) -> None:
        assert (await self.client.post("/-/fault", json=fault)).status_code == 200

    async def metric(self, line: str) -> float:
        text = (await self.client.get("/metrics")).text
        found = [row for row in text.splitlines() if row.startswith(f"vllm:{line}")]
        assert len(found) == 1, found
        return float(found[0].rpartition(" ")[2])

    async def until(self, name: str, value: float) -> None:
        async with asyncio.timeout(10):
            while True:
                if await self.metric(name) == value:
                    return
                await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(*flags: str, settings: Settings = QUICK) -> AsyncIterator[Asked]:
    options = parse([*LINE.split(), *flags])
    engine = Engine(options, settings, fatal=lambda: None)
    host, port = await engine.start()
    limits = httpx.Timeout(10)
    async with httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=limits) as client:
        yield Asked(engine, client)
    await engine.close()


@pytest.fixture
async def asked() -> AsyncIterator[Asked]:
    async with serving() as asked:
        yield asked


def events(text: str) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


async def test_an_adapter_is_a_model_beside_the_one_that_it_changes() -> None:
    flags = ("--enable-lora", "--lora-modules", "sql=/mnt/adapter/sql")
    async with serving(*flags) as asked:
        models = (await asked.client.get("/v1/models")).json()["data"]
        told = [(model["id"], model["root"], model["parent"]) for model in models]
        assert told[0] == ("phi", "org/phi", None)
        assert told[-1] == ("sql", "/mnt/adapter/sql", "phi")
        assert (await asked.chat(model="sql")).json()["model"] == "sql"
        assert (await asked.chat(model="chat")).status_code == 404


async def test_an_engine_says_what_it_is(asked: Asked) -> None:
    models = (await asked.client.get("/v1/models")).json()["data"]
    assert [model["id"] for model in models] == ["phi", "p"]
    assert {(m["owned_by"], m["root"], m["max_model_len"]) for m in models} == {
        ("modelfleet-local", "org/phi", 64)
    }
    assert (await asked.client.get("/version")).json() == {"version": "modelfleet-local"}
    assert (await asked.client.get("/health")).status_code == 200


async def test_a_chat_is_answered(asked: Asked) -> None:
    answer = (await asked.chat()).json()
    (choice,) = answer["choices"]
    assert (answer["object"], answer["model"]) == ("chat.completion", "phi")
    assert choice["message"]["content"] == "This is a local stand-in for phi: it"
    assert choice["finish_reason"] == "length"
    assert answer["usage"] == {"prompt_tokens": 4, "total_tokens": 12, "completion_tokens": 8}


async def test_a_stream_says_what_the_whole_answer_says(asked: Asked) -> None:
    response = await asked.chat(stream=True, stream_options={"include_usage": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    *chunks, usage = events(response.text)
    said = [chunk["choices"][0]["delta"] for chunk in chunks]
    whole = (await asked.chat()).json()
    assert said[0] == {"role": "assistant", "content": ""}
    text = "".join(delta["content"] for delta in said)
    assert text == whole["choices"][0]["message"]["content"]
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"
    assert (usage["choices"], usage["usage"]) == ([], whole["usage"])


async def test_usage_comes_in_a_stream_only_where_it_was_asked_for(asked: Asked) -> None:
    plain = events((await asked.chat(stream=True)).text)
    assert not any("usage" in chunk for chunk in plain)
    options = {"continuous_usage_stats": True}
    running = events((await asked.chat(stream=True, stream_options=options)).text)
    assert [chunk["usage"]["completion_tokens"] for chunk in running] == list(range(9))


async def test_a_cut_chat_goes_on_by_its_token_ids(asked: Asked) -> None:
    whole = (await asked.chat(return_token_ids=True, max_tokens=20)).json()
    ids = whole["choices"][0]["token_ids"]
    prompt = [*whole["prompt_token_ids"], *ids[:8]]
    body = {"model": "phi", "prompt": prompt, "max_tokens": 12}
    rest = (await asked.client.post("/v1/completions", json=body)).json()
    text = (await asked.chat()).json()["choices"][0]["message"]["content"]
    assert text + rest["choices"][0]["text"] == whole["choices"][0]["message"]["content"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_text_is_completed(asked: Asked, stream: bool) -> None:
    body = {"model": "phi", "prompt": "The quiet river", "stream": stream}
    response = await asked.client.post("/v1/completions", json=body)
    answers = events(response.text) if stream else [response.json()]
    assert {answer["object"] for answer in answers} == {"text_completion"}
    assert len("".join(answer["choices"][0]["text"] for answer in answers).split()) > 10
    assert answers[-1]["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"model": "other"}, 404, "model"),
        ({"messages": []}, 400, "messages"),
        ({"messages": "hello"}, 400, "messages"),
        ({"messages": [{"content": "x"}]}, 400, "messages[0].role"),
        ({"messages": [{"role": "user", "content": "x " * 99}]}, 400, "messages"),
        ({"max_tokens": 0}, 400, "max_tokens"),
        ({"max_tokens": 61}, 400, "max_tokens"),
        ({"max_completion_tokens": 61}, 400, "max_completion_tokens"),
        ({"n": 2}, 400, "n"),
        ({"logprobs": True}, 400, "logprobs"),
        ({"temperature": -1}, 400, "temperature"),
        ({"stream_options": {}}, 400, "stream_options"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400,
         "messages[0].content"),
    ],
)  # fmt: skip
async def test_bad_input_is_refused_with_the_field(
    asked: Asked, fields: dict[str, Any], status: int, param: str
) -> None:
    response = await asked.chat(**fields)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (status, status, param)
    assert error["message"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/nothing", b"", 404),
        ("GET", "/v1/chat/completions", b"", 405),
        ("POST", "/v1/chat/completions", b"{", 400),
        ("POST", "/v1/completions", b'{"prompt": ""}', 400),
        ("POST", "/v1/completions", b'{"prompt": ["a", "b"]}', 400),
        ("POST", "/v1/completions", b'{"prompt": "a", "echo": true}', 400),
        ("POST", "/v1/completions", b'{"prompt": "a", "best_of": 2}', 400),
        ("POST", "/-/fault", b'{"mode": "odd"}', 400),
    ],
)
async def test_every_error_has_openai_s_form(
    asked: Asked, method: str, path: str, body: bytes, status: int
) -> None:
    response = await asked.client.request(method, path, content=body)
    assert response.status_code == response.json()["error"]["code"] == status


async def test_metrics_count_what_was_served(asked: Asked) -> None:
    await asked.chat()
    await asked.chat(stream=True)
    assert await asked.metric("prompt_tokens_total") == 8
    assert await asked.metric("generation_tokens_total") == 16
    assert await asked.metric("time_to_first_token_seconds_count") == 2
    assert await asked.metric("inter_token_latency_seconds_count") == 14
    assert await asked.metric("num_requests_running") == 0


async def test_requests_beyond_the_batch_wait() -> None:
    slow = Settings(first_token_seconds=30, token_seconds=30)
    async with serving("--max-num-seqs", "1", settings=slow) as asked:
        tasks = [asyncio.create_task(asked.chat()) for _ in range(3)]
        await asked.until("num_requests_waiting", 2)
        assert await asked.metric("num_requests_running") == 1
        assert await asked.metric("kv_cache_usage_perc") > 0
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await asked.until("num_requests_running", 0)
        labels = 'engine="0",model_name="phi",finished_reason="abort"'
        assert await asked.metric(f"request_success_total{{{labels}}}") == 3


async def test_a_refusal_says_when_to_come_back(asked: Asked) -> None:
    await asked.tell(mode="refuse", retry_after=7)
    refused = await asked.chat()
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "7")
    assert (await asked.client.get("/health")).status_code == 200
    await asked.tell(mode="refuse", health=True)
    assert (await asked.client.get("/health")).status_code == 503
    await asked.tell(mode="ok")
    assert (await asked.chat()).status_code == 200


async def test_what_hangs_goes_on_when_the_fault_is_over(asked: Asked) -> None:
    await asked.tell(mode="hang", health=True)
    tasks = [asyncio.create_task(asked.chat()), asyncio.create_task(asked.client.get("/health"))]
    await asked.until("num_requests_running", 1)
    assert not any(task.done() for task in tasks)
    await asked.tell(mode="ok")
    assert [(await task).status_code for task in tasks] == [200, 200]


@pytest.mark.parametrize("mode", ["die", "exit"])
async def test_a_stream_is_cut_after_so_many_chunks(asked: Asked, mode: str) -> None:
    await asked.tell(mode=mode, after_chunks=3)
    url, body = "/v1/chat/completions", CHAT | {"stream": True}
    async with asked.client.stream("POST", url, json=body) as response:
        lines = response.aiter_lines()
        got = [await anext(lines) for _ in range(8)]
        with pytest.raises(httpx.TransportError):
            await anext(lines)
    assert sum('"content"' in line for line in got) == 4
    assert (await asked.client.get("/-/fault")).json()["mode"] == mode


async def test_a_connection_is_kept_and_bad_bytes_end_it(asked: Asked) -> None:
    address = asked.client.base_url
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(b"GET /health HTTP/1.1\r\n\r\nGET /ping HTTP/1.1\r\nconnection: close\r\n\r\n")
    text = await reader.read()
    assert text.count(b"200 OK") == 2
    writer.close()
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(b"no http\r\n\r\n")
    assert b"400 Bad Request" in await reader.read()
    writer.close()


async def test_a_text_and_a_chat_are_taken_apart_as_prompts_are(asked: Asked) -> None:
    told = await asked.client.post("/tokenize", json={"model": "phi", "prompt": "maps and songs"})
    whole = await asked.client.post(
        "/v1/completions",
        json={"model": "phi", "prompt": "maps and songs", "return_token_ids": True},
    )
    assert told.json()["max_model_len"] == 64
    assert told.json()["tokens"] == whole.json()["prompt_token_ids"]
    chat = await asked.client.post("/tokenize", json={"messages": CHAT["messages"]})
    answer = await asked.chat(return_token_ids=True)
    assert chat.json()["tokens"] == answer.json()["prompt_token_ids"]
    assert (await asked.client.post("/tokenize", json={})).status_code == 400


async def test_null_tokens_are_as_many_as_fit_and_none_said_are_few(asked: Asked) -> None:
    told = {"model": "phi", "prompt": "maps", "ignore_eos": True}
    for more, expected in (({}, 16), ({"max_tokens": None}, 63), ({"max_tokens": 3}, 3)):
        answer = await asked.client.post("/v1/completions", json=told | more)
        assert answer.json()["usage"]["completion_tokens"] == expected


async def test_limits_are_set_while_it_runs_and_who_is_too_many_is_told_so(asked: Asked) -> None:
    async def limit(**limits: Any) -> None:
        assert (await asked.client.post("/-/limits", json=limits)).json()

    await asked.tell(mode="hang")
    await limit(running=1, waiting=1)
    held = [asyncio.create_task(asked.chat()) for _ in range(2)]
    await asked.until("num_requests_waiting", 1)
    refused = await asked.chat()
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    await limit(running=2)
    await asked.until("num_requests_running", 2)
    await asked.tell(mode="ok")
    assert [(await each).status_code for each in held] == [200, 200]
    assert (await asked.chat()).status_code == 200
    assert (await asked.client.post("/-/limits", json={"running": 0})).status_code == 400
