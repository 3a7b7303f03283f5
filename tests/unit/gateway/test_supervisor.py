"""Processes that end are started again, and those that are exchanged end by themselves."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from gateway.supervisor import (
    DELAY_SECONDS,
    MAX_DELAY_SECONDS,
    STABLE_SECONDS,
    Crew,
    Slot,
    crew,
    delay,
    link,
    listen,
)

SLEEPS = ("-c", "import signal; signal.pause()")
FAILS = ("-c", "raise SystemExit(3)")
LATER = 1000.0


def wait_for(state: Callable[[], object], people: Crew, now: float = 0.0) -> None:
    """Reap until the state is there."""
    deadline = time.monotonic() + 30
    while not state():
        assert time.monotonic() < deadline
        signal.sigtimedwait([signal.SIGCHLD], 0.01)
        people.reap(now)


@pytest.fixture
def people() -> Iterator[Crew]:
    made = Crew([Slot(SLEEPS, ()), Slot(SLEEPS, ())])
    yield made
    made.tell(signal.SIGKILL)
    wait_for(lambda: not made.pids, made)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        (0, 0.0),
        (1, 0.0),
        (2, 4 * DELAY_SECONDS),
        (3, 8 * DELAY_SECONDS),
        (10, MAX_DELAY_SECONDS),
        (1000, MAX_DELAY_SECONDS),
    ],
)
def test_who_fails_again_is_started_later(failures: int, seconds: float) -> None:
    assert delay(failures) == seconds


def test_every_slot_gets_a_process_once(people: Crew) -> None:
    people.start(LATER)
    pids = people.pids
    assert len(pids) == 2
    people.start(LATER)
    assert people.pids == pids
    assert people.next_start(LATER) is None


def test_a_process_that_ends_is_started_again_at_once(people: Crew) -> None:
    people.start(LATER)
    first, second = people.slots
    gone = first.pid
    os.kill(gone, signal.SIGKILL)
    wait_for(lambda: not first.pid, people, LATER)
    assert people.next_start(LATER) == 0
    people.start(LATER)
    assert first.pid
    assert people.pids == {first.pid, second.pid}


def test_a_process_that_fails_at_its_start_is_started_ever_later() -> None:
    slot = Slot(FAILS, ())
    people, now, waited = Crew([slot]), LATER, []
    for _ in range(4):
        people.start(now)
        assert people.pids
        wait_for(lambda: not people.pids, people, now)
        waited.append(people.next_start(now))
        people.start(now - 1)
        assert not people.pids
        now = slot.start_at
    assert waited == pytest.approx([0.0, delay(2), delay(3), delay(4)])


def test_a_process_that_lived_long_did_not_fail() -> None:
    slot = Slot(SLEEPS, (), pid=7, started=LATER, failures=9)
    slot.ended(LATER + STABLE_SECONDS + 1)
    assert (slot.pid, slot.failures, slot.start_at) == (0, 0, LATER + STABLE_SECONDS + 1)


def test_an_exchanged_process_ends_by_itself_beside_its_successor(people: Crew) -> None:
    people.start(LATER)
    old = people.pids
    people.exchange()
    assert people.retired == old
    people.start(LATER)
    assert len(people.pids - old) == 2
    wait_for(lambda: not people.retired, people, LATER)
    assert not people.pids & old
    assert [slot.failures for slot in people.slots] == [0, 0]


def test_a_process_that_retires_leaves_its_slot_and_is_still_told_to_end(people: Crew) -> None:
    people.start(LATER)
    first = people.slots[0]
    old = first.pid
    people.retire(old)
    people.retire(old)
    assert (first.pid, people.retired) == (0, {old})
    assert people.next_start(LATER) == 0
    people.tell(signal.SIGTERM)
    wait_for(lambda: not people.pids, people, LATER)


def test_a_process_has_its_own_descriptors_and_no_other() -> None:
    mine, yours = os.pipe()
    code = (
        "import os; fds = [f'/proc/self/fd/{n}' for n in range(300)];"
        "os.write(200, ' '.join(os.readlink(fd) for fd in fds if os.path.exists(fd)).encode())"
    )
    with socket.socket() as other:
        kept = f"socket:[{os.fstat(other.fileno()).st_ino}]"
        people = Crew([Slot(("-c", code), (yours,))])
        people.start(LATER)
        wait_for(lambda: not people.pids, people, LATER)
    os.close(yours)
    seen = os.read(mine, 100_000).decode()
    os.close(mine)
    assert seen
    assert kept not in seen


def test_one_socket_a_worker_shares_the_port() -> None:
    sockets = listen(("127.0.0.1", 0), 1)
    port = sockets[0].getsockname()[1]
    sockets[0].close()
    sockets = listen(("127.0.0.1", port), 3)
    assert [one.getsockname() for one in sockets] == [("127.0.0.1", port)] * 3
    assert not any(one.get_inheritable() for one in sockets)
    with pytest.raises(OSError, match="in use"):
        listen(("127.0.0.1", port), 1)
    for one in sockets:
        one.close()


def test_the_network_may_be_the_new_one() -> None:
    (one,) = listen(("::1", 0), 1)
    assert one.family is socket.AF_INET6
    one.close()


def test_a_control_process_and_a_worker_for_each_socket_are_planned() -> None:
    with link() as speaker, socket.socket() as one, socket.socket() as two:
        control, *workers = crew([one, two], speaker, 9).slots
        assert control.arguments == ("-m", "gateway.control", "200", "201")
        assert control.descriptors == (speaker.fileno(), 9)
        name = speaker.getsockname().decode().lstrip("\0")
        assert {worker.arguments for worker in workers} == {
            ("-m", "gateway.worker", "200", "201", name)
        }
        assert [worker.descriptors for worker in workers] == [
            (one.fileno(), 9),
            (two.fileno(), 9),
        ]
