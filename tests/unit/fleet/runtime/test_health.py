"""Probes hear whether a program lives and what it waits for, and nothing can stop them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from fleet.runtime.health import response, serving
from fleet.testing.apiserver import free_port


@pytest.mark.parametrize(
    ("head", "missing", "code", "said"),
    [
        (b"GET /healthz HTTP/1.1\r\n", "Work", 200, b"ok\n"),
        (b"GET /readyz HTTP/1.1\r\n", "", 200, b"ok\n"),
        (b"GET /readyz?verbose HTTP/1.1\r\n", "", 200, b"ok\n"),
        (b"GET /readyz HTTP/1.1\r\n", "Work, Pod", 503, b"waiting for Work, Pod\n"),
        (b"GET /elsewhere HTTP/1.1\r\n", "", 404, b"not found\n"),
        (b"POST /healthz HTTP/1.1\r\n", "", 405, b"GET only\n"),
        (b"\r\n", "", 405, b"GET only\n"),
        (b"GET\r\n", "", 404, b"not found\n"),
    ],
)
def test_each_question_has_its_answer(head: bytes, missing: str, code: int, said: bytes) -> None:
    lines, _, body = response(head, missing).partition(b"\r\n\r\n")
    assert lines.startswith(b"HTTP/1.1 %d " % code)
    assert b"Content-Length: %d\r\n" % len(said) in lines
    assert body == said


@asynccontextmanager
async def asking(missing: str = "") -> AsyncIterator[tuple[httpx.AsyncClient, int]]:
    port = free_port()
    async with (
        serving(f"127.0.0.1:{port}", lambda: missing),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http,
    ):
        yield http, port


async def test_a_program_answers_over_http_while_it_runs() -> None:
    async with asking("Work") as (http, port):
        assert (await http.get("/healthz")).text == "ok\n"
        assert (await http.get("/readyz")).status_code == 503
        assert "modelfleet_reconcile_seconds" in (await http.get("/metrics")).text
    with pytest.raises(OSError, match=str(port)):
        await asyncio.open_connection("127.0.0.1", port)


@pytest.mark.parametrize("nonsense", [b"", b"GET /healthz", b"x" * 20_000, b"\x16\x03\x01\r\n\r\n"])
async def test_whoever_talks_nonsense_disturbs_nobody(nonsense: bytes) -> None:
    async with asking() as (http, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(nonsense)
        writer.write_eof()
        await asyncio.wait_for(reader.read(), timeout=10)
        writer.close()
        assert (await http.get("/healthz")).status_code == 200


async def test_an_address_of_ipv6_is_written_in_brackets() -> None:
    port = free_port()
    async with serving(f"[::1]:{port}", lambda: ""), httpx.AsyncClient() as http:
        assert (await http.get(f"http://[::1]:{port}/readyz")).text == "ok\n"


async def test_without_an_address_nothing_listens() -> None:
    async with serving("", lambda: ""):
        pass


async def test_a_page_that_is_given_is_told_instead_of_what_this_process_counted() -> None:
    async def page() -> bytes:
        return b"sum 7\n"

    port = free_port()
    async with serving(f"127.0.0.1:{port}", lambda: "", page), httpx.AsyncClient() as http:
        assert (await http.get(f"http://127.0.0.1:{port}/metrics?x")).text == "sum 7\n"
        assert (await http.get(f"http://127.0.0.1:{port}/healthz")).text == "ok\n"
