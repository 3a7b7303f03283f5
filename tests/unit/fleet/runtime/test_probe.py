"""Whether a program answers, as an image's health command asks it."""

import asyncio

import pytest

from fleet.runtime.health import serving
from fleet.runtime.probe import main, trouble
from fleet.testing.apiserver import free_port


async def test_an_answer_is_well_and_anything_else_is_told() -> None:
    waits, address = [""], f"127.0.0.1:{free_port()}"
    async with serving(address, lambda: waits[0]):
        url = f"http://{address}/readyz"
        assert await asyncio.to_thread(trouble, url) == ""
        waits[0] = "Work"
        assert await asyncio.to_thread(trouble, url) == f"{url}: 503 waiting for Work"
        assert "404" in await asyncio.to_thread(trouble, f"http://{address}/other")
    assert "refused" in await asyncio.to_thread(trouble, url)


@pytest.mark.parametrize("url", ["127.0.0.1:8080/healthz", "ftp://127.0.0.1/", "http://h:port/"])
def test_what_is_no_url_is_said(url: str) -> None:
    assert trouble(url).startswith(f"{url}: ")


@pytest.mark.parametrize("arguments", [[], ["a", "b"]])
def test_one_url_is_asked_for(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match=r"^usage: python -m"):
        main(arguments)
