"""An engine that is to end goes on until what it has begun is done."""

import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from subprocess import run
from threading import Thread

import pytest
from typing_extensions import override

from member_agent.controllers.workspace.plan.draining import waiting

METRICS = """\
# HELP vllm:num_requests_running Number of requests
vllm:num_requests_running{{engine="0",model_name="phi"}} {running:.1f}
vllm:num_requests_waiting{{engine="0",model_name="phi"}} {waiting:.1f}
vllm:num_requests_waiting_by_reason{{reason="capacity"}} 7.0
"""


class Engine(HTTPServer):
    """Tells in turn of these requests, running and waiting; then of none."""

    def __init__(self, told: list[tuple[int, int]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.told, self.asked = told, 0


class Handler(BaseHTTPRequestHandler):
    server: Engine

    def do_GET(self) -> None:
        self.server.asked += 1
        running, waits = self.server.told.pop(0) if self.server.told else (0, 0)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(METRICS.format(running=running, waiting=waits).encode())

    @override
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with Engine(list(request.param)) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def waited(port: int, longest: int = 60) -> None:
    code = waiting(port, unnoticed=0, longest=longest)
    run([sys.executable, "-c", code], env={"POD_INDEX": "0"}, check=True, timeout=60)


@pytest.mark.parametrize(
    ("engine", "asked"), [([], 1), ([(1, 0)], 2), ([(0, 2)], 2)], indirect=["engine"]
)
def test_it_waits_until_nothing_runs_and_nothing_waits(engine: Engine, asked: int) -> None:
    waited(engine.server_port)
    assert engine.asked == asked


@pytest.mark.parametrize("engine", [[(1, 0)] * 99], indirect=True)
def test_it_does_not_wait_for_ever(engine: Engine) -> None:
    waited(engine.server_port, longest=0)
    assert engine.asked == 0


def test_an_engine_that_does_not_answer_is_not_waited_for() -> None:
    with Engine([]) as server:
        port = server.server_port
    waited(port)
