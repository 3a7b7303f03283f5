"""A Llama of two layers with weights by chance, run by CTranslate2: small, and a real one."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from ctranslate2.specs import common_spec, transformer_spec

from tests.gateway_upstream import CHUNKED, DONE, STREAM, Call, chunk, head

LAYERS, HEADS, WIDTH, INNER, WORDS = 2, 4, 32, 64, 80
SEED, SPREAD = 7, 0.4
END = "t1"


def _model(folder: Path) -> None:
    spec = transformer_spec.TransformerDecoderModelSpec.from_config(
        LAYERS,
        HEADS,
        activation=common_spec.Activation.SWISH,
        ffn_glu=True,
        rms_norm=True,
        rotary_dim=0,
        rotary_interleave=False,
        num_heads_kv=HEADS,
    )
    chance = np.random.default_rng(SEED)

    def weights(*shape: int) -> Any:
        return chance.normal(0, SPREAD, shape).astype(np.float32)

    decoder, ones = spec.decoder, np.ones(WIDTH, np.float32)
    decoder.embeddings.weight, decoder.projection.weight = (
        weights(WORDS, WIDTH),
        weights(WORDS, WIDTH),
    )
    decoder.scale_embeddings, decoder.layer_norm.gamma = False, ones
    for layer in decoder.layer:
        looks, ffn = layer.self_attention, layer.ffn
        looks.layer_norm.gamma = ffn.layer_norm.gamma = ones
        looks.linear[0].weight, looks.linear[1].weight = (
            weights(3 * WIDTH, WIDTH),
            weights(WIDTH, WIDTH),
        )
        ffn.linear_0.weight, ffn.linear_0_noact.weight = (
            weights(INNER, WIDTH),
            weights(INNER, WIDTH),
        )
        ffn.linear_1.weight = weights(WIDTH, INNER)
    spec.register_vocabulary([f"t{number}" for number in range(WORDS)])
    spec.config.bos_token, spec.config.eos_token, spec.config.unk_token = "t0", END, "t2"
    spec.validate()
    spec.save(str(folder))


class TinyLlama:
    """Streams chat and completions at temperature 0, with token ids for who asks for them."""

    def __init__(self, folder: Path) -> None:
        _model(folder)
        self._generator = ctranslate2.Generator(str(folder), device="cpu", compute_type="float32")

    async def __call__(self, call: Call) -> None:
        asked = call.request.json
        prompt = _prompt(asked)
        said = await asyncio.to_thread(self._said, prompt, asked["max_tokens"])
        await call.write(head(200, STREAM, CHUNKED))
        for event in _events(asked, prompt, said):
            await call.write(chunk(b"data: " + json.dumps(event).encode() + b"\n\n"))
        await call.write(chunk(DONE) + b"0\r\n\r\n")

    def _said(self, prompt: Sequence[int], most: int) -> list[int]:
        words = [f"t{number}" for number in prompt]
        steps = self._generator.generate_tokens(
            words, max_length=most, sampling_topk=1, end_token=END
        )
        return [step.token_id for step in steps]


def _prompt(asked: dict[str, Any]) -> list[int]:
    told = asked.get("prompt") or "".join(each["content"] for each in asked["messages"])
    return told if isinstance(told, list) else [3 + letter % 70 for letter in told.encode()]


def _events(
    asked: dict[str, Any], prompt: Sequence[int], said: Sequence[int]
) -> Iterator[dict[str, Any]]:
    chat, ids = "messages" in asked, asked.get("return_token_ids")
    common = {"id": "1", "object": "chat.completion.chunk" if chat else "text_completion"}
    for number, token in enumerate(said):
        text = f" t{token}"
        spoken: dict[str, Any] = {"delta": {"content": text}} if chat else {"text": text}
        reason = "stop" if number == len(said) - 1 else None
        choice = {"index": 0, **spoken, "finish_reason": reason}
        first = {"prompt_token_ids": prompt} if ids and number == 0 else {}
        yield {**common, **first, "choices": [choice | ({"token_ids": [token]} if ids else {})]}
