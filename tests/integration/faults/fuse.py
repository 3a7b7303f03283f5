"""A line on which a program comes no further than a certain write."""

import asyncio
from enum import StrEnum
from typing import NamedTuple

from typing_extensions import override

from fleet.testing.interceptor import Call, Refusal

PROGRAMS = ("modelfleet-hub", "modelfleet-member-agent")
DELETERS = {
    "approvalrequests": ("modelfleet-hub", "updaterun"),
    "resourcebindings": ("modelfleet-hub", "updaterun"),
    "nodeclaims": ("modelfleet-member-agent", "workspace"),
    "statefulsets": ("modelfleet-member-agent", "workspace"),
}
"""Who deletes what: such a call names no field manager."""


class Point(NamedTuple):
    """A write of a run's way: by whom, what, and of which kind."""

    writer: str
    verb: str
    resource: str

    @override
    def __str__(self) -> str:
        return f"{self.writer} {self.verb} {self.resource}"


def point(call: Call) -> tuple[str, Point]:
    """Give the program that makes a call, and which write of its way it is."""
    for program in PROGRAMS:
        if call.manager.startswith(f"{program}-"):
            return program, Point(call.manager[len(program) + 1 :], call.verb, call.resource)
    if call.verb == "DELETE" and call.resource in DELETERS:
        program, writer = DELETERS[call.resource]
        return program, Point(writer, call.verb, call.resource)
    return "", Point("", call.verb, call.resource)


class When(StrEnum):
    BEFORE = "before"
    """The server never hears of the write."""
    AFTER = "after"
    """The server has it, and the writer never hears of that."""


class Fuse:
    """Burns at the first of its points that a run comes to; nothing gets through until mended.

    Of two points that a run comes to at once the second is held back: its write would reach the
    server while its writer is killed for the first, be met by nobody, and never come again.
    """

    def __init__(self, program: str, run: str, points: tuple[Point, ...], when: When) -> None:
        self._program, self._run, self._when = program, run, when
        self.left = set(points)
        self.burnt = asyncio.Event()
        self._whole = asyncio.Event()
        self._whole.set()
        self._next: Point | None = None

    def mend(self) -> None:
        """Let go on who waits: the other program, which was not killed."""
        self.burnt.clear()
        self._whole.set()

    async def before(self, call: Call) -> Refusal | None:
        if not self._whole.is_set():
            await self._whole.wait()
            await self._hold(point(call)[0] == self._program)
        here = self._met(call)
        if here and self._when is When.BEFORE:
            self._burn(here)
            await self._hold(True)
        elif here:
            await self._hold(self._next not in {None, here})
            self._next = here
        return None

    async def after(self, call: Call) -> None:
        await self._whole.wait()
        here = self._met(call)
        if here and self._when is When.AFTER:
            self._burn(here)
            await self._hold(True)

    def _met(self, call: Call) -> Point | None:
        program, here = point(call)
        ours = program == self._program and call.speaks_of(self._run)
        return here if ours and here in self.left else None

    def _burn(self, here: Point) -> None:
        self.left.discard(here)
        self._next = None
        self._whole.clear()
        self.burnt.set()

    async def _hold(self, held: bool) -> None:
        """Hold a write back until its writer is gone, which ends the call."""
        if held:
            await asyncio.get_running_loop().create_future()
