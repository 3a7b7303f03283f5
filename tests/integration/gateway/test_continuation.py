"""Cut streams of real models end in the text that they would have had: `make continuation`.

A tiny Llama is run where CTranslate2 is; two servers of vLLM are asked where `VLLM_URLS` names them
(`http://a:8000/v1,http://b:8000/v1`), for the model `VLLM_MODEL`.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionUserMessageParam

from fleet.testing.waiting import until
from gateway.snapshot import Endpoint
from tests.gateway_upstream import upstream
from tests.integration.gateway.cutting import cutting
from tests.integration.gateway.program import KEY, MODEL, gateway

pytestmark = pytest.mark.faults
SAYS = "Tell me of rivers and of boats."
COLD: dict[str, Any] = {
    "model": MODEL,
    "temperature": 0,
    "max_tokens": 40,
    "stream": True,
    # A model that ends early has not been cut.
    "extra_body": {"ignore_eos": True},
}


async def _chat(client: AsyncOpenAI) -> str:
    messages = [ChatCompletionUserMessageParam(role="user", content=SAYS)]
    stream = await client.chat.completions.create(messages=messages, **COLD)
    return "".join([part.choices[0].delta.content or "" async for part in stream if part.choices])


async def _completion(client: AsyncOpenAI) -> str:
    stream = await client.completions.create(prompt=SAYS, **COLD)
    return "".join([part.choices[0].text async for part in stream if part.choices])


async def _hold(home: Path, urls: tuple[str, str], model: str) -> None:
    """Cut the first one's streams at several places, and hold the whole to an uncut one."""
    async with cutting(urls[0]) as cutter, gateway(home, workers=1) as running:
        places = (
            Endpoint("team/0", cutter.url, model=model),
            Endpoint("team/1", urls[1], model=model, priority=1),
        )
        running.route_to(places, continues=True)
        await until(lambda: '"endpoints": 2' in running.log.read_text(encoding="utf-8"))
        async with AsyncOpenAI(base_url=f"{running.url}/v1", api_key=KEY, max_retries=0) as client:
            for ask in (_chat, _completion):
                for after in (3, 6, 17):
                    # One that is not cut, in between: an endpoint that always fails is left alone.
                    cutter.after, before = 0, cutter.cuts
                    whole = await ask(client)
                    cutter.after = after
                    assert await ask(client) == whole
                    assert cutter.cuts > before


async def test_cut_streams_of_a_tiny_llama_end_as_they_would_have(tmp_path: Path) -> None:
    pytest.importorskip("ctranslate2")
    from tests.integration.gateway.tiny_llama import TinyLlama  # noqa: PLC0415 - needs the above

    model = tmp_path / "model"
    model.mkdir()
    llama = TinyLlama(model)
    async with upstream(llama) as one, upstream(llama) as two:
        await _hold(tmp_path, (one.url, two.url), MODEL)


async def test_cut_streams_of_vllm_end_as_they_would_have(tmp_path: Path) -> None:
    urls = os.environ.get("VLLM_URLS", "").split(",")
    if len(urls) != 2:
        pytest.skip("VLLM_URLS names no two servers")
    await _hold(tmp_path, (urls[0], urls[1]), os.environ["VLLM_MODEL"])
