"""`modelfleet gateway --config`: a router by a file alone, which may be wrong at times."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from fleet.testing.apiserver import free_port
from fleet.testing.waiting import until
from tests.gateway_upstream import Upstream, upstream
from tests.integration.gateway.program import CHAT, MODEL

CONFIG = """\
settings: {{listen: "127.0.0.1:{port}", workers: 1}}
models:
- {{name: {model}, endpoints: [{{name: only, url: "{url}"}}]}}
"""


@asynccontextmanager
async def running(folder: Path, config: Path) -> AsyncIterator[Path]:
    """Run the command by a file; gives its log."""
    log = folder / "log"
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    # Where the command is typed lies somebody's folder of the same name, which is not ours to run.
    (folder / "gateway").mkdir(exist_ok=True)
    (folder / "gateway" / "__init__.py").write_text("raise SystemExit('not this')")
    command = (sys.executable, "-P", "-m", "cli", "gateway", "--config", str(config))
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command, stderr=output, env=environ, cwd=folder
        )
    try:
        yield log
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def test_a_file_is_followed_and_a_wrong_one_leaves_the_old_routes(tmp_path: Path) -> None:
    port, config = free_port(), tmp_path / "gateway.yaml"

    def write(text: str) -> None:
        (tmp_path / "new").write_text(text, encoding="utf-8")
        (tmp_path / "new").replace(config)

    def route(model: str, where: Upstream) -> str:
        return CONFIG.format(port=port, model=model, url=where.url)

    async with upstream() as one, upstream() as two, httpx.AsyncClient(timeout=60) as http:

        async def status(model: str) -> int:
            url = f"http://127.0.0.1:{port}/v1/chat/completions"
            with suppress(httpx.TransportError):
                return (await http.post(url, json=CHAT | {"model": model})).status_code
            return 0

        async def answered(model: str) -> bool:
            return await status(model) == 200

        write(route(MODEL, one))
        async with running(tmp_path, config) as log:
            await until(lambda: answered(MODEL))
            write(route(MODEL, two).replace("url:", "link:"))
            await until(lambda: "unknown field `link`" in log.read_text(encoding="utf-8"))
            assert await status(MODEL) == 200
            write(route("another", two))
            await until(lambda: answered("another"))
            assert (await status(MODEL), len(two.requests) > 0) == (404, True)
