"""A stream that is cut goes on elsewhere as if nothing had happened, where that is wanted."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import structs

from cli.local.engine.app import Engine
from cli.local.engine.commandline import parse
from cli.local.engine.faults import Fault, Mode
from cli.local.engine.settings import Settings
from fleet.testing.waiting import until
from gateway.access import AccessLog
from gateway.snapshot import Endpoint
from tests.gateway_upstream import CHUNKED, DONE, STREAM, End, chunk, head, says, upstream
from tests.unit.gateway.data.gate import PATH, Answer, Gate, ask, chat, gate, get

PROMPT = "/v1/completions"
LINE = "serve org/phi --served-model-name inside --host 127.0.0.1 --port 0 --max-model-len 200"
QUICK = Settings(first_token_seconds=0, token_seconds=0)
COLD: dict[str, Any] = {"temperature": 0, "stream": True, "ignore_eos": True}


@asynccontextmanager
async def engines(number: int = 2) -> AsyncIterator[tuple[list[Engine], list[Endpoint]]]:
    """Run engines that make their answers up of all the tokens before."""
    async with AsyncExitStack() as stack:
        made, places = [], []
        for index in range(number):
            engine = Engine(parse(LINE.split()), QUICK, fatal=lambda: None)
            host, port = await engine.start()
            stack.push_async_callback(engine.close)
            made.append(engine)
            url = f"http://{host}:{port}/v1"
            places.append(Endpoint(f"team/{index}", url, region=f"r{index}", model="inside"))
        yield made, places


def dies(engine: Engine, after: int) -> None:
    engine.serving.tell(Fault(mode=Mode.DIE, after_chunks=after))


def events(answer: Answer) -> list[Any]:
    """Read what a client reads: no comments, and JSON but for the end."""
    lines = [line for line in answer.body.decode().split("\n\n") if line and line[0] != ":"]
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


def text(answer: Answer) -> str:
    choices = [each["choices"][0] for each in events(answer) if each["choices"]]
    return "".join(c["text"] if "text" in c else c["delta"].get("content", "") for c in choices)


MESSAGES = [{"role": "user", "content": "a"}]


async def asked(gateway: Gate, path: str, **fields: Any) -> Answer:
    said: dict[str, Any] = {"prompt": "maps"} if path == PROMPT else {"messages": MESSAGES}
    return await gateway.ask(ask(path, model="llama", **COLD, **said, **fields))


@pytest.mark.parametrize("path", [PATH, PROMPT])
@pytest.mark.parametrize("fields", [{"max_tokens": 40}, {"max_tokens": None}, {"seed": 3}])
async def test_what_is_cut_ends_in_the_text_that_it_would_have_had(
    path: str, fields: dict[str, Any]
) -> None:
    wanted = fields | {"stream_options": {"include_usage": True}}
    async with engines() as (made, places), gate() as gateway:
        gateway.swap(places[:1], continues=True)
        whole = await asked(gateway, path, **wanted)
        gateway.swap([places[0], structs.replace(places[1], priority=1)], continues=True)
        for after in (1, 2, 7):
            dies(made[0], after)
            gateway.pass_time(100)
            answer = await asked(gateway, path, **wanted)
            assert (answer.status, text(answer)) == (200, text(whole))
            assert events(answer)[-1]["usage"] == events(whole)[-1]["usage"]
            assert b"token_ids" not in answer.body
            assert len({each["id"] for each in events(answer)}) == 1
        page = (await gateway.ask(get("/metrics"))).body.decode()
        assert 'continued_total{model="llama",region="r1"} 3' in page


async def test_the_access_log_has_what_the_client_asked_and_how_often_it_was_continued() -> None:
    written = list[bytes]()
    async with engines() as (made, places), gate() as gateway:
        gateway.swap([places[0], structs.replace(places[1], priority=1)], continues=True)
        gateway.plane.access = AccessLog(written.append, lambda: datetime(2030, 1, 1, tzinfo=UTC))
        dies(made[0], 3)
        await asked(gateway, PATH, max_tokens=9)
        dies(made[0], 0)
        gateway.pass_time(100)
        await asked(gateway, PATH, max_tokens=9)
        gateway.plane.tick()
    lines = [json.loads(line) for line in b"".join(written).splitlines()]
    assert [(each["path"], each["stream"], each["answerTokens"]) for each in lines] == [
        (PATH, True, 9)
    ] * 2
    assert [(each.get("continued"), each["attempts"]) for each in lines] == [(1, 2), (None, 2)]
    assert lines[0]["requestBytes"] == lines[1]["requestBytes"]


async def test_without_a_cut_nothing_of_it_is_seen() -> None:
    async with engines(1) as (_, places), gate() as gateway:
        gateway.swap(places)
        plain = await asked(gateway, PATH, max_tokens=9)
        gateway.swap(places, continues=True)
        noted = await asked(gateway, PATH, max_tokens=9)

    def unsigned(answer: Answer) -> bytes:
        first = events(answer)[0]
        return answer.body.replace(first["id"].encode(), b"").replace(
            str(first["created"]).encode(), b""
        )

    assert unsigned(noted) == unsigned(plain)


async def test_where_nobody_can_go_on_the_stream_ends_in_an_error() -> None:
    async with engines() as (made, places), gate() as gateway:
        gateway.swap(places, continues=True)
        for engine in made:
            dies(engine, 3)
        answer = await asked(gateway, PATH, max_tokens=9)
    assert (answer.status, answer.whole) == (200, True)
    assert b"stream_interrupted" in answer.body
    assert DONE not in answer.body


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [{"type": "function"}]},
        {"response_format": {"type": "json_object"}},
        {"logprobs": True},
        {"n": 2},
        {"stop": ["x"]},
        {"presence_penalty": 1},
        {"return_token_ids": True},
        {"structured_outputs": {}},
        {"stream": False},
    ],
)
async def test_what_could_not_be_gone_on_with_is_passed_as_it_is(fields: dict[str, Any]) -> None:
    async with upstream() as one, gate(one) as gateway:
        gateway.swap([Endpoint("team/0", one.url)], continues=True)
        body = chat(**({"stream": True} | fields))
        await gateway.ask(body)
        assert one.requests[0].body == body.partition(b"\r\n\r\n")[2]


async def test_a_region_whose_own_stream_was_cut_is_gone_on_with_elsewhere() -> None:
    opening = (
        b'data: {"id": "1", "object": "chat.completion.chunk", "prompt_token_ids": [5, 6],'
        b' "choices": [{"delta": {"role": "assistant"}, "token_ids": null}]}\n\n'
        b'data: {"id": "1", "choices": [{"delta": {"content": "half"}, "token_ids": [7]}]}\n\n'
    )
    error = b'data: {"error": {"message": "", "code": "stream_interrupted"}}\n\n'
    rest = (
        b'data: {"choices": [{"index": 0, "text": " and", "token_ids": [8]}]}\n\n'
        b'data: {"choices": [{"index": 0, "text": ".", "finish_reason": "stop"}]}\n\n'
    )
    out = asyncio.Event()
    first = says(head(200, STREAM, CHUNKED), chunk(opening), out, chunk(error) + b"0\r\n\r\n")
    second = says(head(200, STREAM, CHUNKED), chunk(rest + DONE) + b"0\r\n\r\n")
    async with upstream(first) as one, upstream(second) as two, gate() as gateway:
        places = [Endpoint("team/0", one.url), Endpoint("team/1", two.url, priority=1)]
        gateway.swap(places, continues=True)
        asking = asyncio.create_task(gateway.ask(chat(stream=True, max_tokens=5)))
        await until(lambda: gateway.plane.metrics.first_byte)
        out.set()
        answer = await asking
        assert text(answer) == "half and."
        (request,) = two.requests
        assert request.target == PROMPT
        assert (request.json["prompt"], request.json["max_tokens"]) == ([5, 6, 7], 4)
        assert b"stream_interrupted" not in answer.body
        one.behaviour = says(head(200, STREAM, CHUNKED), chunk(opening), End.CLOSE)
        two.behaviour = says(head(200, STREAM, CHUNKED), chunk(rest), End.CLOSE)
        gateway.pass_time(100)
        answer = await gateway.ask(chat(stream=True, max_tokens=5))
        assert text(answer) == "half and."
        assert not gateway.plane.active


@pytest.mark.parametrize(
    "strange",
    [
        b'data: {"choices": [{"delta": {"tool_calls": [{"index": 0}]}, "token_ids": [8]}]}\n\n',
        b'data: {"choices": [{"delta": {"reasoning": "hm"}, "token_ids": [8]}]}\n\n',
        b'data: {"choices": [{"token_ids": "8"}]}\n\n',
        b'data: {"choices": 3}\n\n',
        b"event: what\ndata: {}\n\n",
        b"data: {}\r\n\r\n",
    ],
)
async def test_what_is_no_plain_text_is_not_gone_on_with(strange: bytes) -> None:
    opening = (
        b'data: {"id": "1", "prompt_token_ids": [5, 6],'
        b' "choices": [{"delta": {"content": "half"}, "token_ids": [7]}]}\n\n'
    )
    breaks = says(head(200, STREAM, CHUNKED), chunk(opening), chunk(strange), End.CLOSE)
    async with upstream(breaks) as one, upstream(breaks) as two, gate(one, two) as gateway:
        places = [Endpoint("team/0", one.url), Endpoint("team/1", two.url)]
        gateway.swap(places, continues=True)
        answer = await gateway.ask(chat(stream=True))
        assert len(one.requests) + len(two.requests) == 1
    assert (answer.whole, b"stream_interrupted" in answer.body) == (True, True)


@pytest.mark.parametrize("path", [PATH, PROMPT])
async def test_a_stream_tells_its_tokens_and_its_client_sees_nothing_of_it(path: str) -> None:
    async with engines(1) as (_, places), gate(count_streams=True) as gateway:
        gateway.swap(places)
        answer = await asked(gateway, path, max_tokens=9)
        wanted = await asked(gateway, path, max_tokens=9, stream_options={"include_usage": True})
        (told,) = gateway.plane.metrics.answers.values()
    assert text(answer) == text(wanted)
    assert b"usage" not in answer.body
    assert events(wanted)[-1]["usage"]["completion_tokens"] == 9
    assert (told.answer.total, told.prompt.total > 1) == (18, True)


async def test_usage_that_is_null_is_taken_out_too_and_nothing_else() -> None:
    said = b'data: {"choices":[{"delta":{"content":"\\"usage\\":null"}}]%b}\n\n'
    used = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}\n\n'
    parts = (chunk(said % b',"usage":null'), chunk(used + DONE) + b"0\r\n\r\n")
    async with (
        upstream(says(head(200, STREAM, CHUNKED), *parts)) as one,
        gate(one, count_streams=True) as gateway,
    ):
        answer = await gateway.ask(chat(stream=True))
        assert answer.body == said % b"" + DONE
        (told,) = gateway.plane.metrics.answers.values()
        assert (told.prompt.total, told.answer.total) == (3, 5)
        kept = chat(stream=True, stream_options={})
        await gateway.ask(kept)
        assert one.requests[-1].body == kept.partition(b"\r\n\r\n")[2]
