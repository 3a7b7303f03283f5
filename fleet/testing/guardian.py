"""Ends the processes of a test run that was itself ended before it could do so."""

import os
import signal
import subprocess
import sys
from contextlib import suppress


class Guardian:
    """A process of its own, that learns of our end by the end of a pipe.

    The kernel's signal for a parent's death would come when the thread that started a process ends.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", __file__],
            stdin=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )

    def guard(self, pid: int) -> None:
        self._tell(pid)

    def release(self, pid: int) -> None:
        """A process has ended: its number may be another's now."""
        self._tell(-pid)

    def close(self) -> None:
        self._process.communicate()

    def _tell(self, number: int) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()


def main() -> None:
    guarded = set[int]()
    for line in sys.stdin:
        number = int(line)
        guarded.add(number) if number > 0 else guarded.discard(-number)
    for pid in guarded:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
