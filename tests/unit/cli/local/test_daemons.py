"""Daemons of a fleet, played by small shell commands and servers."""

import json
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.local import procfs, take_down
from cli.local.daemons import Daemon, Daemons
from cli.local.errors import DeadError, DeadlineError, PortInUseError
from cli.local.topology import Fleet

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    made = Fleet("t", 1, ("us",), tmp_path)
    made.logs.mkdir()
    made.pids.mkdir()
    yield made
    for process in Daemons(made).running().values():
        await procfs.kill([process])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def http_daemon(name: str = "web", cluster: str = "us") -> Daemon:
    port = free_port()
    return Daemon(
        name=name,
        cluster=cluster,
        argv=(sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)),
        ports=(port,),
        health=f"http://127.0.0.1:{port}/",
    )


async def test_a_daemon_is_started_once_and_becomes_ready(fleet: Fleet) -> None:
    daemons, web = Daemons(fleet), http_daemon()
    await daemons.start(web)
    await daemons.wait_ready(web, deadline=20)
    first = daemons.process("web")
    await daemons.start(web)
    assert first is not None
    assert daemons.process("web") == first


async def test_one_that_dies_while_starting_is_named_with_the_end_of_its_log(fleet: Fleet) -> None:
    daemons = Daemons(fleet)
    argv = ("/bin/sh", "-c", "echo no kubeconfig; exit 3")
    broken = Daemon(name="broken", argv=argv, health="http://127.0.0.1:9/")
    await daemons.start(broken)
    with pytest.raises(DeadError, match="broken ended while starting:\nno kubeconfig"):
        await daemons.wait_ready(broken, deadline=20)


async def test_one_that_never_answers_is_named_with_what_was_waited_for(fleet: Fleet) -> None:
    daemons = Daemons(fleet)
    mute = Daemon(name="mute", argv=SLEEP, health=f"http://127.0.0.1:{free_port()}/readyz")
    await daemons.start(mute)
    with pytest.raises(DeadlineError, match=r"mute: http://.*/readyz is not ready within"):
        await daemons.wait_ready(mute, deadline=0.3)


async def test_a_port_in_use_is_named_with_who_uses_it(fleet: Fleet) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        taken = Daemon(name="web", argv=SLEEP, ports=(port,))
        with pytest.raises(PortInUseError, match=rf"port {port} of web is in use by .*\(pid "):
            await Daemons(fleet).start(taken)


async def test_a_pid_file_of_an_earlier_boot_is_not_believed(fleet: Fleet) -> None:
    daemons = Daemons(fleet)
    await daemons.start(Daemon(name="d", argv=SLEEP))
    process = daemons.process("d")
    assert process is not None
    file = fleet.pids / "d.json"
    file.write_text(json.dumps({"pid": process.pid, "started": "other-boot/1"}))
    assert daemons.process("d") is None
    await procfs.kill([process])


async def test_losing_a_region_ends_its_daemons_and_all_they_started(fleet: Fleet) -> None:
    daemons = Daemons(fleet)
    script = f"{sys.executable} -c 'import os,time; os.setsid(); time.sleep(60)' & wait"
    await daemons.start(Daemon(name="us-runner", cluster="us", argv=("/bin/sh", "-c", script)))
    await daemons.start(Daemon(name="gateway", argv=SLEEP))
    await take_down.lose(fleet, "us")
    assert list(daemons.running()) == ["gateway"]
    assert not procfs.marked("MODELFLEET_DAEMON", fleet.mark("us"))


async def test_a_daemon_leads_a_session_of_its_own_and_inherits_no_terminal(fleet: Fleet) -> None:
    daemons = Daemons(fleet)
    await daemons.start(Daemon(name="d", argv=("/bin/sh", "-c", "ps -o tty= -p $$; sleep 60")))
    process = daemons.process("d")
    assert process is not None
    session = (Path("/proc") / str(process.pid) / "stat").read_text().rpartition(")")[2].split()[3]
    assert int(session) == process.pid


async def test_what_a_killed_daemon_left_is_ended_before_it_starts_again(fleet: Fleet) -> None:
    daemons = Daemons(fleet)
    await daemons.start(Daemon(name="web", argv=("/bin/sh", "-c", "sleep 60 & sleep 60")))
    process = daemons.process("web")
    assert process is not None
    left = [p for p in procfs.marked("MODELFLEET_DAEMON", fleet.mark(name="web")) if p != process]
    await procfs.kill([process])
    await daemons.start(Daemon(name="web", argv=SLEEP))
    assert not any(map(procfs.alive, left))
