"""kubectl prints the logs: it is what a user's kubeconfig works with, whatever it needs."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cli.kubeconfigs import Access

MOST_PODS: Final = 100
"""Followed at the same time in a cluster; kubectl's own limit is 5."""


@dataclass(frozen=True, slots=True)
class Source:
    """The pods of a workload in one cluster."""

    member: str
    namespace: str
    selector: str
    access: Access

    def arguments(self, *, tail: int, following: bool) -> list[str]:
        return [
            *self.access.arguments,
            "logs",
            f"--namespace={self.namespace}",
            f"--selector={self.selector}",
            "--prefix",
            "--all-containers",
            f"--tail={tail}",
            f"--max-log-requests={MOST_PODS}",
            f"--follow={str(following).lower()}",
        ]


async def follow(
    binary: str, source: Source, tell: Callable[[str], None], *, tail: int, following: bool
) -> bool:
    """Tell each line with the member's name before it; whether kubectl failed."""
    process = await asyncio.create_subprocess_exec(
        binary,
        *source.arguments(tail=tail, following=following),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        assert process.stdout is not None
        while line := await _line(process.stdout):
            tell(f"{source.member} {line}")
        return await process.wait() != 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _line(stream: asyncio.StreamReader) -> str:
    """Read a line, or a part of one that is very long; nothing at the end."""
    try:
        line = await stream.readuntil()
    except asyncio.IncompleteReadError as error:
        line = error.partial
    except asyncio.LimitOverrunError as error:
        line = await stream.readexactly(error.consumed)
    return line.decode(errors="replace").rstrip("\n") or ("\n" if line else "")
