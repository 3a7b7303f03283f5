"""`modelfleet gateway status`: the endpoints of a gateway, how they stand now, and why."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import httpx
import typer

from cli.chat import ChatError, refusal
from cli.endpoint import EndpointError, endpoint
from cli.options import Format, command
from cli.output import Output, fail, paper, print_document, print_table

HEADINGS: Final = (
    *("MODEL", "ENDPOINT", "REGION", "STATE"),
    *("IN FLIGHT", "TOKENS", "WAITING", "CACHE", "WHY"),
)
PATH: Final = "/-/status"
TIMEOUT_SECONDS: Final = 10.0
PAUSE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    url: Annotated[
        str, typer.Option(envvar="MODELFLEET_URL", help="Base of the gateway's API.")
    ] = ""
    key: Annotated[str, typer.Option(envvar="MODELFLEET_KEY", help="Key for it.")] = ""
    fleet: Annotated[str, typer.Option(envvar="MODELFLEET_FLEET", help="Local fleet.")] = "local"
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Show it anew each second, until interrupted.")
    ] = False
    output: Format = Output.TABLE


def _status(options: Options) -> None:
    """Show a gateway's endpoints: how each stands, why, and what it has to do.

    Example: modelfleet gateway status

    Example: modelfleet gateway status --url http://127.0.0.1:8080/v1 -o json
    """
    try:
        where = endpoint(url=options.url, key=options.key, fleet=options.fleet)
        headers = {"authorization": f"Bearer {where.key}"} if where.key else {}
        with httpx.Client(headers=headers, timeout=TIMEOUT_SECONDS) as client:
            show(ask(client, where.url), options.output)
            while options.watch:
                time.sleep(PAUSE_SECONDS)
                paper().clear()
                show(ask(client, where.url), options.output)
    except (ChatError, EndpointError) as error:
        raise fail(str(error)) from error


status = command(Options, _status)


def ask(client: httpx.Client, url: str) -> Mapping[str, Any]:
    """Get what the gateway knows; ChatError where it does not tell."""
    origin = httpx.URL(url).copy_with(path=PATH)
    try:
        answer = client.get(origin)
        if answer.is_error:
            raise ChatError(refusal(answer.status_code, answer.headers, answer.content))
        return dict(answer.json())
    except (httpx.HTTPError, ValueError) as error:
        raise ChatError(f"{origin}: no gateway answers: {error}") from error


def show(told: Mapping[str, Any], output: Output) -> None:
    if output is not Output.TABLE:
        print_document(told, output)
        return
    print_table(HEADINGS, rows(told))
    for model, number in told["waiting"].items():
        if number:
            typer.echo(f"{number} requests wait for {model}: all its endpoints are full")


def rows(told: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for each in told["endpoints"]:
        load = each.get("load") or {}
        yield (
            each["model"],
            each["name"],
            each["region"],
            each["state"],
            str(each["inFlight"]),
            str(each.get("tokens", 0)),
            str(load.get("waiting", "")),
            f"{load['kvUse']:.0%}" if load else "",
            each.get("reason", ""),
        )
