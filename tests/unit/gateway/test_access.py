"""The access log never stands in the way of those whom it tells of."""

import errno
import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from gateway.access import AccessLog, Line, opened


def at_noon() -> datetime:
    return datetime(2030, 1, 1, 12, tzinfo=UTC)


def line(path: str) -> Line:
    return Line("", path, "200", 0.0)


class Disk:
    """Is full at times."""

    def __init__(self) -> None:
        self.full, self.held = False, list[bytes]()

    def write(self, data: bytes) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.held.append(data)


def test_lines_for_which_there_is_no_room_are_dropped_and_that_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    disk = Disk()
    log = AccessLog(disk.write, at_noon)
    for number, full in enumerate((False, True, True, False)):
        disk.full = full
        log.add(line(f"/{number}"))
        log.flush()
    assert [b"/0" in disk.held[0], b"/3" in disk.held[1], len(disk.held)] == [True, True, 2]
    said = [record.__dict__["why"] for record in caplog.records]
    assert said == ["[Errno 28] No space left on device", "lines are written again"]


def test_a_file_is_appended_to(tmp_path: Path) -> None:
    file = tmp_path / "log"
    for path in ("/a", "/b"):
        handle = opened(str(file))
        log = AccessLog(partial(os.write, handle), at_noon)
        log.add(line(path))
        log.flush()
        os.close(handle)
    assert file.read_text(encoding="utf-8").count("\n") == 2
