"""Answers in the forms that engines give beside chat: embeddings, responses and messages."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.gateway_upstream import CHUNKED, JSON, STREAM, Call, End, chunk, head, says, whole

TEXT = "Hello."
Named = tuple[str, Mapping[str, Any]]


def named(event: Named) -> bytes:
    name, fields = event
    return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n".encode()


async def speaks(call: Call) -> None:
    """Answer whichever it is asked for, whole or as a stream."""
    path = call.request.target.partition("?")[0]
    if call.request.json.get("stream"):
        events = b"".join(chunk(named(event)) for event in STREAMS[path])
        await says(head(200, STREAM, CHUNKED), events, b"0\r\n\r\n")(call)
    else:
        body = json.dumps(WHOLE[path](call.request.json)).encode()
        await says(whole(200, body, JSON))(call)


async def breaks_off(call: Call) -> None:
    """Write the stream that it is asked for but for its last event, and go away."""
    events = STREAMS[call.request.target.partition("?")[0]][:-1]
    await says(head(200, STREAM, CHUNKED), *(chunk(named(each)) for each in events), End.CLOSE)(
        call
    )


def _embeddings(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    data = [{"object": "embedding", "index": 0, "embedding": [0.5, 1.0]}]
    return {"object": "list", "data": data, "model": asked["model"], "usage": usage}


def _response(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    part = {"type": "output_text", "text": TEXT, "annotations": []}
    message = {
        "id": "msg-1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }
    return {
        "id": "resp-1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": asked.get("model", ""),
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


def _message(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "id": "msg-1",
        "type": "message",
        "role": "assistant",
        "model": asked.get("model", ""),
        "content": [{"type": "text", "text": TEXT}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }


WHOLE: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
    "/v1/embeddings": _embeddings,
    "/v1/responses": _response,
    "/v1/messages": _message,
}
STREAMS: Mapping[str, tuple[Named, ...]] = {
    "/v1/responses": (
        ("response.created", {"sequence_number": 0, "response": _response({})}),
        (
            "response.output_text.delta",
            {
                "sequence_number": 1,
                "item_id": "msg-1",
                "output_index": 0,
                "content_index": 0,
                "delta": TEXT,
                "logprobs": [],
            },
        ),
        ("response.completed", {"sequence_number": 2, "response": _response({})}),
    ),
    "/v1/messages": (
        ("message_start", {"message": {**_message({}), "content": []}}),
        ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": TEXT}}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
        ("message_stop", {}),
    ),
}
