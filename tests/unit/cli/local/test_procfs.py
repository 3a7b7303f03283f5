"""Who is alive, who listens: asked about processes of our own."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from cli.local import procfs

MARK = "MODELFLEET_TEST_MARK"
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@contextmanager
def sleeper(mark: str = "none") -> Iterator[procfs.Process]:
    pid = os.posix_spawn(SLEEP[0], SLEEP, {**os.environ, MARK: mark}, setsid=True)
    process = procfs.find(pid)
    assert process
    try:
        yield process
    finally:
        if procfs.alive(process):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


async def test_a_running_process_is_alive_until_it_is_killed() -> None:
    with sleeper() as process:
        assert procfs.alive(process)
        await procfs.kill([process])
        assert not procfs.alive(process)


def test_a_pid_that_was_given_out_again_is_another_process() -> None:
    with sleeper() as process:
        assert not procfs.alive(replace(process, started="earlier"))


def test_a_zombie_is_not_alive() -> None:
    with sleeper() as process:
        os.kill(process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert procfs.find(process.pid) is None
        os.waitpid(process.pid, 0)


async def test_a_process_that_ignores_its_end_is_not_gone_in_time() -> None:
    with sleeper() as process:
        assert not await procfs.end([process], signal.SIGCONT, deadline=0.05)


async def test_a_process_that_is_gone_already_is_no_error() -> None:
    with sleeper() as process:
        await procfs.kill([process])
        assert await procfs.end([process], signal.SIGTERM, deadline=1)


def test_processes_are_found_by_the_mark_in_their_environment() -> None:
    with sleeper("/home/a:us:agent") as process:
        assert process in procfs.marked(MARK, "/home/a:us:")
        assert process not in procfs.marked(MARK, "/home/a:eu:")


def test_a_listener_is_named() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        holder = procfs.listener(server.getsockname()[1])
    assert holder is not None
    assert f"(pid {os.getpid()})" in holder


def test_nobody_listens_on_a_port_that_is_only_bound() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        assert procfs.listener(server.getsockname()[1]) is None
