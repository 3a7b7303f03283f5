"""OpenAI's own client speaks to the whole program."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionUserMessageParam

from fleet.testing.waiting import until
from tests.gateway_upstream import (
    CHUNKED,
    STREAM,
    End,
    chunk,
    completes,
    event,
    head,
    says,
    turns_away,
    upstream,
)
from tests.integration.gateway.program import KEY, MODEL, Gateway, gateway

MESSAGES = [ChatCompletionUserMessageParam(role="user", content="Hi")]
TEXT = "The fleet says hello."


@asynccontextmanager
async def client(running: Gateway, key: str = KEY) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{running.url}/v1", api_key=key, max_retries=0) as made:
        yield made


async def _whole(asked: AsyncOpenAI, model: str = MODEL) -> str | None:
    answer = await asked.chat.completions.create(model=model, messages=MESSAGES)
    return answer.choices[0].message.content


async def _streamed(asked: AsyncOpenAI) -> str:
    stream = await asked.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)
    return "".join([part.choices[0].delta.content or "" async for part in stream])


async def test_the_openai_client_finds_what_it_knows(tmp_path: Path) -> None:
    async with upstream() as only, gateway(tmp_path, only) as running, client(running) as asked:
        assert [model.id async for model in asked.models.list()] == [MODEL]
        assert (await asked.models.retrieve(MODEL)).owned_by == "modelfleet"
        assert await _whole(asked) == TEXT
        assert await _streamed(asked) == TEXT
        completion = await asked.completions.create(model=MODEL, prompt="Hi")
        assert completion.choices[0].text == TEXT
        parts = await asked.completions.create(model=MODEL, prompt="Hi", stream=True)
        assert "".join([part.choices[0].text async for part in parts]) == TEXT
        assert all("authorization" not in each.headers for each in only.requests)


async def test_the_openai_client_understands_what_goes_wrong(tmp_path: Path) -> None:
    cut = says(head(200, STREAM, CHUNKED), chunk(event("half")), End.RESET)
    async with upstream() as only, gateway(tmp_path, only) as running, client(running) as asked:
        with pytest.raises(openai.NotFoundError) as unknown:
            await _whole(asked, "gpt")
        assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
        async with client(running, "other") as stranger:
            with pytest.raises(openai.AuthenticationError) as refused:
                await _whole(stranger)
            assert refused.value.code == "invalid_api_key"
        only.behaviour = cut
        with pytest.raises(openai.APIError) as lost:
            await _streamed(asked)
        assert lost.value.code == "stream_interrupted"
        only.behaviour = turns_away(429, "retry-after: 9")
        with pytest.raises(openai.RateLimitError) as busy:
            await _whole(asked)
        assert busy.value.response.headers["retry-after"] == "9"


async def test_the_openai_client_notices_nothing_of_an_upstream_that_is_lost(
    tmp_path: Path,
) -> None:
    async with (
        upstream() as one,
        upstream() as two,
        gateway(tmp_path, one, two) as running,
        client(running) as asked,
    ):
        await asyncio.gather(*(_whole(asked) for _ in range(10)))
        one.refuse()
        one.hang_up()
        said = await asyncio.gather(*(_whole(asked) for _ in range(40)))
        assert said == [TEXT] * 40


async def test_a_stream_that_a_client_leaves_ends_at_its_upstream(tmp_path: Path) -> None:
    async with (
        upstream(completes(pause_after=asyncio.Event())) as only,
        gateway(tmp_path, only) as running,
        client(running) as asked,
    ):
        stream = await asked.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)
        async for _ in stream:
            break
        await stream.close()
        await until(lambda: only.abandoned == 1)
