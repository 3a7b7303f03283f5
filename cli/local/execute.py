"""Run one of the tools to its end, with a deadline and an error that shows what it said."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.local.errors import CommandError, DeadlineError

_SHOWN_LINES = 8


async def execute(
    argv: Sequence[str | Path],
    *,
    deadline: float,
    environ: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    folder: Path | None = None,
) -> bytes:
    """Return what the command printed.

    Raises CommandError with its last lines, DeadlineError when it takes too many seconds.
    """
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(environ or {})},
        cwd=folder,
    )
    try:
        async with asyncio.timeout(deadline):
            out, err = await process.communicate(stdin)
    except TimeoutError:
        message = f"`{_shown(argv)}` did not end within {deadline:.0f} s"
        raise DeadlineError(message) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise CommandError(f"`{_shown(argv)}` failed: {_last_lines(err or out)}")
    return out


def _shown(argv: Sequence[str | Path]) -> str:
    return " ".join([Path(argv[0]).name, *map(str, argv[1:])])


def _last_lines(output: bytes) -> str:
    return "\n".join(output.decode(errors="replace").strip().splitlines()[-_SHOWN_LINES:])
