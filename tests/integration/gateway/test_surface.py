"""What else clients ask than chat, through the whole program: other forms, large and bad bodies."""

import asyncio
import json
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import pytest
from anthropic import AsyncAnthropic

from tests.gateway_dialects import TEXT, breaks_off, speaks
from tests.gateway_upstream import upstream
from tests.integration.gateway.program import HEADERS, KEY, MODEL, Gateway, answers, gateway
from tests.integration.gateway.test_clients import client

LARGE = 10_000_000
MESSAGES: Any = [{"role": "user", "content": "Hi"}]


async def _ask(http: httpx.AsyncClient, running: Gateway, path: str, body: bytes) -> httpx.Response:
    return await http.post(f"{running.url}/v1/{path}", content=body, headers=HEADERS)


async def test_the_openai_client_gets_embeddings_and_responses(tmp_path: Path) -> None:
    async with (
        upstream(speaks) as only,
        gateway(tmp_path, only, workers=1) as running,
        client(running) as asked,
    ):
        vectors = await asked.embeddings.create(model=MODEL, input="Hi", encoding_format="float")
        assert vectors.data[0].embedding == [0.5, 1.0]
        said = await asked.responses.create(model=MODEL, input="Hi")
        assert said.output_text == TEXT
        parts = await asked.responses.create(model=MODEL, input="Hi", stream=True)
        assert [part.type async for part in parts][-1] == "response.completed"
        only.behaviour = breaks_off
        with pytest.raises(openai.APIError) as lost:
            async for _ in await asked.responses.create(model=MODEL, input="Hi", stream=True):
                pass
        assert lost.value.code == "stream_interrupted"


async def test_anthropic_s_client_is_served_by_its_own_key_s_header(tmp_path: Path) -> None:
    async with (
        upstream(speaks) as only,
        gateway(tmp_path, only, workers=1) as running,
        AsyncAnthropic(base_url=running.url, api_key=KEY, max_retries=0) as asked,
    ):
        create = asked.messages.create
        said = await create(model=MODEL, messages=MESSAGES, max_tokens=9)
        assert said.content[0].model_dump()["text"] == TEXT
        parts = await create(model=MODEL, messages=MESSAGES, max_tokens=9, stream=True)
        assert [part.type async for part in parts][-1] == "message_stop"
        assert all("x-api-key" not in each.headers for each in only.requests)
        only.behaviour = breaks_off
        with pytest.raises(anthropic.APIStatusError) as lost:
            async for _ in await create(model=MODEL, messages=MESSAGES, max_tokens=9, stream=True):
                pass
        assert "was lost" in str(lost.value)


async def test_any_other_request_that_names_a_model_goes_through_byte_for_byte(
    tmp_path: Path,
) -> None:
    body = b' {"query" :"\\u0041","x":1.0e0,"model" :"llama","documents":[{"model":"b"}], "z":[]}\n'
    async with (
        upstream() as only,
        gateway(tmp_path, only, workers=1) as running,
        httpx.AsyncClient(timeout=60) as http,
    ):
        answer = await _ask(http, running, "rerank?top=3", body)
        assert answer.is_success
        assert (only.requests[0].target, only.requests[0].body) == ("/v1/rerank?top=3", body)
        told = {name: answer.headers[f"x-modelfleet-{name}"] for name in ("region", "upstream")}
        assert told == {"region": "r0", "upstream": "team/0"}
        assert answer.headers["x-modelfleet-attempts"] == "1"
        twice = await _ask(http, running, "rerank", b'{"model":"llama","model":"other"}')
        assert (twice.status_code, twice.json()["error"]["code"]) == (400, "duplicate_model")
        only.refuse()
        only.hang_up()
        lost = await _ask(http, running, "rerank", body)
        assert (lost.status_code, lost.headers["x-modelfleet-attempts"]) == (503, "1")


async def test_large_bodies_go_through_while_others_are_served(tmp_path: Path) -> None:
    image, nested = "x" * LARGE, '[{"a": "\\""}], ' * 10_000
    large = f'{{"x": [{nested} "{image}"], "model": "{MODEL}"}}'.encode()
    async with (
        upstream() as only,
        gateway(tmp_path, only, workers=1) as running,
        httpx.AsyncClient(timeout=60) as http,
    ):
        several = [asyncio.create_task(_ask(http, running, "other", large)) for _ in range(4)]
        served = 0
        while not all(task.done() for task in several):
            assert (await answers(running, http)).is_success
            served += 1
        assert [task.result().status_code for task in several] == [200] * 4
        assert served > 4
        assert [each.body for each in only.requests if len(each.body) > LARGE] == [large] * 4


async def test_a_body_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    async with (
        upstream() as only,
        gateway(tmp_path, only, workers=1, body_bytes="1000000") as running,
        httpx.AsyncClient(timeout=60) as http,
    ):
        body = json.dumps({"model": MODEL, "x": "x" * 1_000_000}).encode()
        answer = await _ask(http, running, "chat/completions", body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")
        assert (await answers(running, http)).is_success
    assert len(only.requests) == 1
