"""A pod's process is followed to the very end of it, and all that it started ends with it."""

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest

from cli.local import procfs
from cli.local.procfs import Process
from cli.local.runner.commands import Command
from cli.local.runner.processes import Processes
from fleet.testing.waiting import until

LEADERLESS = """
import ctypes, os, sys, threading
def rest():
    print("one thread is left", flush=True)
    open(sys.argv[1]).read()
    os._exit(7)
threading.Thread(target=rest).start()
ctypes.CDLL(None).pthread_exit(None)
"""
"""A program whose first thread ends at once, and whose other one when the pipe is closed."""


class Shelf:
    """Processes of one folder; what a test leaves running ends with it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "run.log"
        self.processes, self.started = Processes(), list[Process]()

    def start(self, *words: str) -> Process:
        command = Command(words, {"PATH": os.defpath})
        process = self.processes.start(command, self.folder, self.log)
        self.started.append(process)
        return process

    def shell(self, script: str) -> Process:
        return self.start("/bin/sh", "-c", script)

    async def code(self, process: Process) -> int | None:
        await until(lambda: not self.processes.alive(process))
        return self.processes.exit_code(process)

    async def says(self, words: str) -> None:
        await until(lambda: words in self.log.read_text())

    async def clear(self) -> None:
        for process in self.started:
            self.processes.signal(process, SIGKILL)
            await self.code(process)
            self.processes.forget(process)


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    made = Shelf(tmp_path)
    yield made
    await made.clear()


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 3", 3), ("kill -TERM $$", 143), ("kill -KILL $$", 137)],
)
async def test_an_end_is_told_as_a_shell_tells_it(shelf: Shelf, script: str, code: int) -> None:
    assert await shelf.code(shelf.shell(script)) == code


async def test_the_code_is_still_known_when_it_is_asked_again(shelf: Shelf) -> None:
    process = shelf.shell("exit 3")
    assert [await shelf.code(process), await shelf.code(process)] == [3, 3]


async def test_a_process_runs_until_its_last_thread_has_ended(shelf: Shelf) -> None:
    pipe = shelf.folder / "pipe"
    os.mkfifo(pipe)
    process = shelf.start(sys.executable, "-c", LEADERLESS, str(pipe))
    await shelf.says("one thread is left")
    await until(lambda: procfs.find(process.pid) is None)
    assert shelf.processes.alive(process)
    assert shelf.processes.exit_code(process) is None
    with pipe.open("w"):
        pass
    assert await shelf.code(process) == 7


async def test_one_hears_of_the_end_once(shelf: Shelf) -> None:
    process, heard = shelf.shell("sleep 1000"), list[str]()
    shelf.processes.follow(process, lambda: heard.append("first"))
    shelf.processes.follow(process, lambda: heard.append("again"))
    shelf.processes.signal(process, SIGTERM)
    await until(lambda: heard)
    assert heard == ["first"]


async def test_who_begins_to_follow_when_all_is_over_hears_of_it_too(shelf: Shelf) -> None:
    process, heard = shelf.shell("exit 3"), list[str]()
    await shelf.code(process)
    shelf.processes.follow(process, lambda: heard.append("ended"))
    await until(lambda: heard)
    assert heard == ["ended"]


async def test_a_signal_reaches_all_that_it_started(shelf: Shelf) -> None:
    child = "trap 'echo the child is told; exit' TERM; echo up; while :; do sleep 0.1; done"
    process = shelf.shell(f"trap 'wait; exit 4' TERM; ({child}) & wait")
    await shelf.says("up")
    shelf.processes.signal(process, SIGTERM)
    assert await shelf.code(process) == 4
    await shelf.says("the child is told")


async def test_what_a_process_left_behind_ends_with_it(shelf: Shelf) -> None:
    process = shelf.shell("sleep 1000 & echo $!; exit 3")
    assert await shelf.code(process) == 3
    left = int(shelf.log.read_text())
    await until(lambda: procfs.find(left) is None)


async def test_a_program_that_is_not_there_is_an_error_of_the_system(shelf: Shelf) -> None:
    with pytest.raises(FileNotFoundError, match="/no/such/program"):
        shelf.start("/no/such/program")


async def test_another_runner_finds_a_process_but_not_how_it_ended(shelf: Shelf) -> None:
    process, other = shelf.shell("sleep 1000"), Processes()
    assert other.alive(process)
    heard = list[str]()
    other.follow(process, lambda: heard.append("ended"))
    other.signal(process, SIGKILL)
    await until(lambda: heard)
    assert (other.alive(process), other.exit_code(process)) == (False, None)
    assert await shelf.code(process) == 137
