"""What a test run has started does not outlive it, however it ends."""

import subprocess
import sys

import psutil

from fleet.testing.guardian import Guardian

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
RUN = f"""
import subprocess, time
from fleet.testing.guardian import Guardian
guardian = Guardian()
started = [subprocess.Popen({SLEEP}, start_new_session=True) for _ in range(2)]
for each in started:
    guardian.guard(each.pid)
print(*(each.pid for each in started), flush=True)
time.sleep(600)
"""


def test_what_was_started_ends_with_the_run_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        started = [psutil.Process(int(pid)) for pid in run.stdout.readline().split()]
        assert len(started) == 2
        run.kill()
    _, left = psutil.wait_procs(started, timeout=10)
    assert not left


def test_what_has_ended_is_not_ended_again() -> None:
    guardian = Guardian()
    with subprocess.Popen(SLEEP) as other:
        guardian.guard(other.pid)
        guardian.release(other.pid)
        guardian.close()
        assert other.poll() is None
        other.kill()
