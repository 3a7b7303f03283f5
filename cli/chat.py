"""`modelfleet chat`: ask a model through the fleet's endpoint, and see which region answered."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console

from cli.endpoint import Endpoint, EndpointError, endpoint

REGION = "x-modelfleet-region"
CONNECT_SECONDS, READ_SECONDS = 5.0, 120.0


class ChatError(Exception):
    """The endpoint did not answer; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A streamed answer: where it comes from, and its text as it arrives."""

    region: str
    words: Iterator[str]


@contextmanager
def ask(client: httpx.Client, model: str, messages: list[dict[str, str]]) -> Iterator[Answer]:
    """Stream one answer; ChatError where there is none."""
    body = {"model": model, "messages": messages, "stream": True}
    try:
        with client.stream("POST", "chat/completions", json=body) as response:
            if response.is_error:
                raise ChatError(refusal(response.status_code, response.headers, response.read()))
            yield Answer(response.headers.get(REGION, "unknown"), words(response.iter_lines()))
    except httpx.ConnectError as error:
        message = f"nothing answers at {client.base_url}; is the fleet up? (modelfleet up)"
        raise ChatError(message) from error
    except httpx.HTTPError as error:
        raise ChatError(f"{client.base_url}: {str(error) or type(error).__name__}") from error


def refusal(status: int, headers: httpx.Headers, body: bytes) -> str:
    """Say in one line what the endpoint said, and when to try again."""
    try:
        message = str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = body[:200].decode(errors="replace")
    later = headers.get("retry-after")
    said = " ".join(message.split())
    return f"{status}: {said}" + (f" (try again in {later} s)" if later else "")


def words(lines: Iterator[str]) -> Iterator[str]:
    """Read the text out of server-sent events; an error within the stream is a ChatError."""
    for line in lines:
        data = line.removeprefix("data:").strip()
        if not line.startswith("data:") or data == "[DONE]":
            continue
        event = _event(data)
        if error := event.get("error"):
            said = error.get("message") if isinstance(error, dict) else error
            raise ChatError(f"the answer broke off: {said}")
        for choice in event.get("choices") or ():
            yield (choice.get("delta") or {}).get("content") or ""


def _event(data: str) -> dict[str, Any]:
    try:
        return dict(json.loads(data))
    except (ValueError, TypeError) as error:
        raise ChatError(f"the answer broke off: no event is {data[:200]}") from error


def chat(
    model: Annotated[str, typer.Argument(help="Model, alias, or namespace/model.")],
    prompt: Annotated[str, typer.Argument(help="What to ask; without it, one asks on.")] = "",
    url: Annotated[str, typer.Option(envvar="MODELFLEET_URL", help="Base of the API.")] = "",
    key: Annotated[str, typer.Option(envvar="MODELFLEET_KEY", help="Key for it.")] = "",
    fleet: Annotated[str, typer.Option(envvar="MODELFLEET_FLEET", help="Local fleet.")] = "local",
) -> None:
    """Ask a model through the global gateway and stream its answer.

    Example: modelfleet chat phi-4-mini-instruct "Why is the sky blue?"
    """
    errors = Console(stderr=True)
    try:
        where = endpoint(url=url, key=key, fleet=fleet)
        converse(where, model, prompt)
    except (ChatError, EndpointError) as error:
        errors.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1) from error


def converse(where: Endpoint, model: str, prompt: str) -> None:
    """Ask once, or go on until the input ends."""
    console, messages = Console(highlight=False), list[dict[str, str]]()
    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    headers = {"Authorization": f"Bearer {where.key}"} if where.key else {}
    with httpx.Client(base_url=where.url, headers=headers, timeout=timeout) as client:
        for question in [prompt] if prompt else questions(console):
            messages.append({"role": "user", "content": question})
            with ask(client, model, messages) as answer:
                messages.append({"role": "assistant", "content": show(console, answer)})


def show(console: Console, answer: Answer) -> str:
    text = ""
    try:
        for word in answer.words:
            console.print(word, end="", markup=False, soft_wrap=True)
            text += word
    finally:
        console.print()
    console.print(f"[dim]answered by region [bold]{answer.region}[/bold][/dim]")
    return text


def questions(console: Console) -> Iterator[str]:
    """Read one question after another; an empty line or the end of input is the last."""
    while True:
        try:
            question = console.input("[bold]> [/bold]").strip()
        except (EOFError, KeyboardInterrupt):
            return
        if not question:
            return
        yield question
