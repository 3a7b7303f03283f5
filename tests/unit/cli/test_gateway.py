"""What `modelfleet gateway` says: how endpoints stand, and what it needs to start."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.__main__ import build
from cli.chat import ChatError
from cli.gateway.status import ask, show
from cli.output import Output

URL = "http://gateway:8080/v1"
TOLD: dict[str, Any] = {
    "workers": 2,
    "waiting": {"phi": 3, "qwen": 0},
    "endpoints": [
        {"name": "demo/eu", "model": "phi", "region": "eu", "state": "ready", "inFlight": 0},
        {
            "name": "demo/us",
            "model": "phi",
            "region": "us",
            "state": "ejected",
            "inFlight": 4,
            "tokens": 2600,
            "reason": "it did not answer in time; left alone for 5 s",
            "load": {"ready": 2, "inFlight": 9, "waiting": 7, "kvUse": 0.914},
        },
    ],
}


def answering(status: int, body: bytes) -> httpx.Client:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url == "http://gateway:8080/-/status"
        return httpx.Response(status, content=body)

    return httpx.Client(transport=httpx.MockTransport(answer))


def test_endpoints_are_shown_with_their_states_and_reasons(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with answering(200, json.dumps(TOLD).encode()) as client:
        show(ask(client, URL), Output.TABLE)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1] == ["phi", "demo/eu", "eu", "ready", "0", "0"]
    assert lines[2][:8] == ["phi", "demo/us", "us", "ejected", "4", "2600", "7", "91%"]
    assert lines[3][:2] == ["3", "requests"]


def test_programs_get_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    show(TOLD, Output.JSON)
    assert json.loads(capsys.readouterr().out) == TOLD


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, b'{"error": {"message": "Incorrect API key provided."}}', "401: Incorrect API key"),
        (200, b"<html>", "no gateway answers"),
    ],
)
def test_what_does_not_tell_is_named(status: int, body: bytes, words: str) -> None:
    with answering(status, body) as client, pytest.raises(ChatError, match=words):
        ask(client, URL)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "gateway.yaml")
    result = CliRunner().invoke(build(["gateway"]), ["gateway", "--config", missing])
    assert result.exit_code == 1
    assert "there is no file" in result.stderr
