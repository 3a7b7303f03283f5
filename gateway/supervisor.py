"""Owns the listening sockets and keeps the other processes alive; it does nothing else.

A connection that nobody has accepted yet waits in a socket that never closes: a worker that dies
or is exchanged loses none.
"""

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

RETIRING = signal.SIGRTMIN
"""Sent by a worker that was told to stop and wants its successor now."""
WATCHED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, RETIRING)
STABLE_SECONDS = 10.0
"""A process that lived so long did not fail at its start."""
DELAY_SECONDS = 0.1
MAX_DELAY_SECONDS = 5.0
KILL_SECONDS = 5.0
"""Beyond the drain, for a process that does not end."""
BACKLOG = 4096
FIRST_DESCRIPTOR = 200
"""Where children find what they inherit: above anything that is open here."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Slot:
    """A place for one process: what to start there, and how it goes."""

    arguments: Sequence[str]
    descriptors: Sequence[int]
    """Given to the process as 200, 201 and so on."""
    pid: int = 0
    started: float = 0.0
    start_at: float = 0.0
    failures: int = 0

    def ended(self, now: float) -> None:
        """Start again at once; one that fails at its start, each time later."""
        self.failures = 0 if now - self.started > STABLE_SECONDS else self.failures + 1
        self.pid, self.start_at = 0, now + delay(self.failures)


def delay(failures: int) -> float:
    """Seconds before a process is started again that failed so often in a row."""
    return 0.0 if failures <= 1 else min(DELAY_SECONDS * 2.0**failures, MAX_DELAY_SECONDS)


@dataclass(slots=True)
class Crew:
    """The processes: one in each slot, and those that were exchanged and have not ended yet."""

    slots: Sequence[Slot]
    retired: set[int] = field(default_factory=set)

    def start(self, now: float) -> None:
        for slot in self.slots:
            if not slot.pid and slot.start_at <= now:
                slot.pid, slot.started = spawn(slot.arguments, slot.descriptors), now

    def next_start(self, now: float) -> float | None:
        """Seconds until a process is due; None where all are there."""
        waiting = [slot.start_at - now for slot in self.slots if not slot.pid]
        return max(0.0, min(waiting)) if waiting else None

    def reap(self, now: float) -> None:
        """Learn who has ended."""
        while self.pids and (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = ended
            self.retired.discard(pid)
            for slot in self.slots:
                if slot.pid == pid:
                    log.warning("a process ended", extra={"pid": pid, "status": status})
                    slot.ended(now)

    def retire(self, pid: int) -> None:
        """Let a process end by itself, and give its slot to another."""
        for slot in self.slots:
            if slot.pid == pid:
                self.retired.add(pid)
                slot.pid, slot.start_at = 0, 0.0

    def exchange(self) -> None:
        """Replace every process; the old ones finish what they have begun."""
        for pid in [slot.pid for slot in self.slots if slot.pid]:
            self.retire(pid)
            os.kill(pid, signal.SIGHUP)

    @property
    def pids(self) -> set[int]:
        return {slot.pid for slot in self.slots if slot.pid} | self.retired

    def tell(self, number: int) -> None:
        for pid in self.pids:
            os.kill(pid, number)


def spawn(arguments: Sequence[str], descriptors: Sequence[int]) -> int:
    """Start a Python process that has these descriptors and no other of ours."""
    places = enumerate(descriptors, FIRST_DESCRIPTOR)
    return os.posix_spawn(
        sys.executable,
        [sys.executable, *arguments],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, fd, place) for place, fd in places],
        setsigmask=(),
        # Under nohup it would be ignored, and no process could be exchanged.
        setsigdef=(signal.SIGHUP,),
    )


def listen(address: tuple[str, int], workers: int) -> list[socket.socket]:
    """Open one socket a worker; the kernel spreads connections over them.

    Raises OSError where the port is taken: sockets that share it would else just share its
    connections with whoever has it.
    """
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as alone:
        alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        alone.bind(address)
        alone.listen()
    sockets = [socket.socket(family, socket.SOCK_STREAM) for _ in range(workers)]
    for one in sockets:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(address)
        one.listen(BACKLOG)
    return sockets


def link() -> socket.socket:
    """Open the socket on which the control process speaks to workers, under a name of its own."""
    speaker = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    speaker.bind("")
    speaker.listen(BACKLOG)
    return speaker


def crew(sockets: Sequence[socket.socket], speaker: socket.socket, life: int) -> Crew:
    """Plan who is started with what."""
    name = speaker.getsockname().decode()
    first, second = str(FIRST_DESCRIPTOR), str(FIRST_DESCRIPTOR + 1)
    control = Slot(("-m", "gateway.control", first, second), (speaker.fileno(), life))
    workers = [
        Slot(("-m", "gateway.worker", first, second, name.lstrip("\0")), (one.fileno(), life))
        for one in sockets
    ]
    return Crew([control, *workers])


def run(address: tuple[str, int], workers: int, drain_seconds: float) -> None:
    """Keep the gateway up until a signal ends it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    sockets, speaker = listen(address, workers), link()
    life, _held = os.pipe()
    people = crew(sockets, speaker, life)
    log.info("listening", extra={"address": f"{address[0]}:{address[1]}", "workers": workers})
    while True:
        now = time.monotonic()
        people.start(now)
        heard = _wait(people.next_start(now))
        people.reap(time.monotonic())
        if heard is None or heard.si_signo == signal.SIGCHLD:
            continue
        if heard.si_signo == RETIRING:
            people.retire(heard.si_pid)
        elif heard.si_signo == signal.SIGHUP:
            people.exchange()
        else:
            break
    for one in sockets:
        # The workers' own copies live as long as they accept: from then on clients are refused.
        one.close()
    _end(people, drain_seconds)


def _end(people: Crew, drain_seconds: float) -> None:
    """Let everybody finish; who does not in time is killed."""
    deadline = time.monotonic() + drain_seconds + KILL_SECONDS
    people.tell(signal.SIGTERM)
    while people.pids:
        left = deadline - time.monotonic()
        if left <= 0:
            people.tell(signal.SIGKILL)
            left = KILL_SECONDS
        _wait(left)
        people.reap(time.monotonic())


def _wait(seconds: float | None) -> "signal.struct_siginfo | None":
    if seconds is None:
        return signal.sigwaitinfo(WATCHED)
    return signal.sigtimedwait(WATCHED, seconds)
