"""OpenAI's client for Node speaks to the whole program, as it comes."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from tests.gateway_upstream import CHUNKED, STREAM, End, chunk, event, head, says, upstream
from tests.integration.gateway.node import Node, installed
from tests.integration.gateway.program import KEY, MODEL, gateway

pytestmark = pytest.mark.node
TEXT = "The fleet says hello."
SCRIPT = """
import OpenAI from "openai";
const {BASE: baseURL, KEY: apiKey, MODEL: model, ONLY: only} = process.env;
const client = new OpenAI({baseURL, apiKey, maxRetries: 0});
const messages = [{role: "user", content: "Hi"}];
const chat = (more) => client.chat.completions.create({model, messages, ...more});
const streamed = async () => {
  let text = "";
  for await (const part of await chat({stream: true})) text += part.choices[0].delta.content ?? "";
  return text;
};
const failure = async (work) => {
  try { await work(); return null; } catch (error) { return [error.status ?? 0, error.code]; }
};
const said = {};
if (only === "cut") {
  said.cut = await failure(streamed);
} else {
  said.models = (await client.models.list()).data.map((each) => each.id);
  said.whole = (await chat()).choices[0].message.content;
  said.streamed = await streamed();
  said.unknown = await failure(() => chat({model: "gpt"}));
  const stranger = new OpenAI({baseURL, apiKey: "other", maxRetries: 0});
  said.stranger = await failure(() => stranger.models.list());
}
console.log(JSON.stringify(said));
"""


@pytest.fixture(scope="module")
def node() -> Node:
    try:
        return installed()
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"Node's client cannot be fetched here: {error}")


async def test_the_openai_client_for_node_is_served_unmodified(tmp_path: Path, node: Node) -> None:
    async with upstream() as only, gateway(tmp_path, only, workers=1) as running:
        given = {"BASE": f"{running.url}/v1", "KEY": KEY, "MODEL": MODEL}
        assert await asyncio.to_thread(lambda: node.run(SCRIPT, **given)) == {
            "models": [MODEL],
            "whole": TEXT,
            "streamed": TEXT,
            "unknown": [404, "model_not_found"],
            "stranger": [401, "invalid_api_key"],
        }
        only.behaviour = says(head(200, STREAM, CHUNKED), chunk(event("half")), End.RESET)
        said = await asyncio.to_thread(lambda: node.run(SCRIPT, ONLY="cut", **given))
        assert said == {"cut": [0, "stream_interrupted"]}
