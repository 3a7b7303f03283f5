"""A run's output, in lines as a container runtime writes them."""

import os
from datetime import datetime
from pathlib import Path

_TAIL_BYTES, _TAIL_LINES, _FIELDS = 4096, 5, 3


def note(file: Path, text: str, now: datetime) -> None:
    """Begin a run's output: from its first line readers tell in which form it is."""
    with file.open("a", encoding="utf-8") as output:
        output.write(f"{now:%Y-%m-%dT%H:%M:%S}.0Z stderr F {text}\n")


def tail(file: Path) -> str:
    """Give the last lines, without what the form adds; "" where there are none."""
    try:
        with file.open("rb") as output:
            output.seek(-min(_TAIL_BYTES, os.fstat(output.fileno()).st_size), os.SEEK_END)
            lines = output.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
    except OSError:
        return ""
    return "\n".join(_text(line) for line in lines)


def _text(line: str) -> str:
    parts = line.split(" ", _FIELDS)
    return parts[_FIELDS] if len(parts) > _FIELDS and parts[2] == "F" else line
