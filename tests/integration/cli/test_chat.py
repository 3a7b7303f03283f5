"""`modelfleet chat` against a small real server: what it asks, what it prints, how it fails."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import build
from cli.chat import ask
from cli.local.credentials import Credentials
from cli.local.registry import Registry, state_folder
from cli.local.topology import Fleet
from fleet.testing.apiserver import free_port
from tests.integration.cli.scripted import (
    CUT,
    DONE,
    Gate,
    Reply,
    Scripted,
    event,
    refusal,
    said,
    scripted,
    stream,
)

KEY = "mf-secret-key-of-a-client"
HELLO = stream(said("Hel"), said("lo [b]all[/b]"), DONE, region="centralus")


class Chat:
    """A user without a fleet, but with a shell."""

    def __init__(self, home: Path) -> None:
        self.environ = {
            "XDG_STATE_HOME": str(home),
            "MODELFLEET_URL": "",
            "MODELFLEET_KEY": "",
            "MODELFLEET_FLEET": "local",
        }

    def types(self, *words: str, typed: str = "", **environ: str) -> Result:
        arguments = ["chat", *words]
        known = self.environ | environ
        return CliRunner().invoke(build(arguments), arguments, env=known, input=typed)

    def asks(self, server: Scripted, *words: str, typed: str = "") -> Result:
        return self.types("phi", *words, "--url", server.url, "--key", KEY, typed=typed)


@pytest.fixture
def chat(tmp_path: Path) -> Chat:
    return Chat(tmp_path)


def test_the_answer_is_printed_as_it_is_with_the_region_that_gave_it(chat: Chat) -> None:
    with scripted(HELLO) as server:
        result = chat.asks(server, "Hi?")
    assert (result.exit_code, result.stdout) == (
        0,
        "Hello [b]all[/b]\nanswered by region centralus\n",
    )
    (request,) = server.heard
    assert request["path"] == "/v1/chat/completions"
    assert request["headers"]["authorization"] == f"Bearer {KEY}"
    assert request["body"] == {
        "model": "phi",
        "messages": [{"role": "user", "content": "Hi?"}],
        "stream": True,
    }


def test_words_come_before_the_answer_is_whole() -> None:
    gate = Gate()
    with (
        scripted(stream(said("first"), gate, said("second"), DONE)) as server,
        httpx.Client(base_url=server.url) as client,
        ask(client, "phi", []) as answer,
    ):
        assert next(answer.words) == "first"
        gate.set()
        assert list(answer.words) == ["second"]
        assert answer.region == "unknown"


def test_a_conversation_goes_on_with_what_was_said_until_an_empty_line(chat: Chat) -> None:
    with scripted(stream(said("one"), DONE), stream(said("two"), DONE)) as server:
        result = chat.asks(server, typed="Hi?\nAnd?\n\nnever asked\n")
    assert result.exit_code == 0
    assert [request["body"]["messages"] for request in server.heard] == [
        [{"role": "user", "content": "Hi?"}],
        [
            {"role": "user", "content": "Hi?"},
            {"role": "assistant", "content": "one"},
            {"role": "user", "content": "And?"},
        ],
    ]


def test_the_end_of_the_input_ends_the_conversation(chat: Chat) -> None:
    with scripted(HELLO) as server:
        result = chat.asks(server, typed="")
    assert (result.exit_code, server.heard) == (0, [])


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        (
            refusal(503, "all regions are full\nand [/busy]", retry_after="7"),
            "503: all regions are full and [/busy] (try again in 7 s)",
        ),
        (refusal(404, "no model `phi` " + "x" * 200), "404: no model `phi` " + "x" * 200),
        (Reply([b"<html>\nBad Gateway"], 502), "502: <html> Bad Gateway"),
        (Reply([b'{"error": "odd"}'], 500), '500: {"error": "odd"}'),
    ],
    ids=["refusal", "long", "no JSON", "another form"],
)
def test_a_refusal_is_one_line_that_says_when_to_come_back(
    chat: Chat, reply: Reply, line: str
) -> None:
    with scripted(reply) as server:
        result = chat.asks(server, "Hi?")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{line}\n")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (event({"error": {"message": "engine lost"}}), "the answer broke off: engine lost"),
        (event({"error": "engine lost"}), "the answer broke off: engine lost"),
        (b"data: {oops\n\n", "the answer broke off: no event is {oops"),
        (b"data: 7\n\n", "the answer broke off: no event is 7"),
        (CUT, "peer closed connection"),
    ],
    ids=["error", "text", "no JSON", "no object", "cut"],
)
def test_what_breaks_an_answer_off_is_told_after_what_had_come(
    chat: Chat, broken: object, message: str
) -> None:
    with scripted(stream(said("Hel"), broken, region="eu")) as server:
        result = chat.asks(server, "Hi?")
    assert (result.exit_code, result.stdout) == (1, "Hel\n")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_events_without_words_are_passed_over(chat: Chat) -> None:
    others = [
        b": a comment\n\n",
        event({"choices": [], "usage": {}}),
        event({"choices": None}),
        event({"choices": [{"delta": {"role": "assistant", "content": None}}]}),
        event({"choices": [{"delta": None}]}),
    ]
    with scripted(stream(*others, said("x"), DONE)) as server:
        assert chat.asks(server, "Hi?").stdout.startswith("x\n")


def test_where_nothing_listens_one_is_told_what_to_do(chat: Chat) -> None:
    result = chat.types("phi", "Hi?", "--url", f"http://127.0.0.1:{free_port()}/v1")
    assert result.exit_code == 1
    assert "nothing answers at http://127.0.0.1:" in result.stderr
    assert "is the fleet up? (modelfleet up)" in result.stderr


def test_without_a_fleet_one_is_told_how_to_name_an_endpoint(chat: Chat) -> None:
    result = chat.types("phi", "Hi?", MODELFLEET_FLEET="other")
    assert result.exit_code == 1
    assert result.stderr == (
        "there is no local fleet other: run `modelfleet up`, or say --url and --key\n"
    )


@pytest.mark.parametrize("url", ["127.0.0.1:18080/v1", "http://[::1", "http://a:x/v1", "ftp://a"])
def test_an_address_that_is_none_is_named(chat: Chat, url: str) -> None:
    result = chat.types("phi", "Hi?", "--url", url)
    assert result.exit_code == 1
    assert f"{url} is no address" in result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("key", ["secret\nkey", "sécret", "secret\x00key"])
def test_a_key_that_cannot_be_sent_is_not_shown(chat: Chat, key: str) -> None:
    with scripted(HELLO) as server:
        result = chat.types("phi", "Hi?", "--url", server.url, "--key", key)
    assert (result.exit_code, server.heard) == (1, [])
    assert result.stderr == "the key has characters that no request can carry\n"


def test_a_key_is_sent_without_the_line_end_of_its_file(chat: Chat) -> None:
    with scripted(HELLO) as server:
        chat.types("phi", "Hi?", "--url", server.url, MODELFLEET_KEY=f"{KEY}\n")
    assert server.heard[0]["headers"]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("reply", [HELLO, refusal(401, "no such key"), stream(CUT)])
def test_the_key_is_never_printed(chat: Chat, reply: Reply) -> None:
    with scripted(reply) as server:
        result = chat.asks(server, "Hi?")
    assert KEY not in result.stdout + result.stderr


@pytest.fixture
def fleet(chat: Chat) -> Iterator[Fleet]:
    registry, name = Registry(state_folder(chat.environ)), f"chat-{os.getpid()}"
    made = registry.create(name, ("us",))
    Credentials(made.secrets).create()
    yield made
    registry.forget(name)


def test_a_local_fleet_s_gateway_is_asked_with_its_own_key(chat: Chat, fleet: Fleet) -> None:
    key = Credentials(fleet.secrets).client_key.read_text()
    with scripted(HELLO, port=fleet.gateway_port) as server:
        result = chat.types("phi", "Hi?", MODELFLEET_FLEET=fleet.name)
    assert result.exit_code == 0
    assert server.heard[0]["headers"]["authorization"] == f"Bearer {key}"
    assert key not in result.stdout + result.stderr


def test_a_local_fleet_s_key_goes_to_nobody_else(chat: Chat, fleet: Fleet) -> None:
    with scripted(HELLO) as server:
        result = chat.types("phi", "Hi?", "--url", server.url, MODELFLEET_FLEET=fleet.name)
    assert result.exit_code == 0
    assert "authorization" not in server.heard[0]["headers"]
