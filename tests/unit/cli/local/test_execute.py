"""A tool is run to its end, and an error shows what it said."""

import re
from pathlib import Path

import pytest

from cli.local import procfs
from cli.local.errors import CommandError, DeadlineError
from cli.local.execute import execute
from fleet.testing.waiting import until

SH = "/bin/sh"


async def test_what_it_prints_is_returned() -> None:
    assert await execute([SH, "-c", "cat; echo err >&2"], stdin=b"in", deadline=60) == b"in"


async def test_it_runs_where_and_with_what_it_is_told(tmp_path: Path) -> None:
    out = await execute(
        [SH, "-c", "pwd -L; echo $GIVEN"], deadline=60, environ={"GIVEN": "x"}, folder=tmp_path
    )
    assert out.decode().split() == [str(tmp_path), "x"]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo out; echo err >&2; exit 3", "err"),
        ("echo out; exit 3", "out"),
        ("seq 1 20 >&2; exit 3", "\n".join(map(str, range(13, 21)))),
    ],
    ids=["what went wrong", "what there is", "the end of it"],
)
async def test_a_failure_shows_the_command_and_its_last_words(script: str, said: str) -> None:
    with pytest.raises(CommandError, match=re.escape(f"`sh -c {script}` failed: {said}")):
        await execute([SH, "-c", script], deadline=60)


async def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    command = [SH, "-c", f"echo $$ > {file}; exec sleep 1000"]
    with pytest.raises(DeadlineError, match=r"`sh -c .* did not end within 1 s"):
        await execute(command, deadline=1)
    await until(lambda: procfs.find(int(file.read_text())) is None)
