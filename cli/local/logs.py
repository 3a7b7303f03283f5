"""Logs of a local fleet: all of them lie in one folder, and are shown with their names."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from cli.local.errors import LocalError
from cli.local.topology import Fleet

_POLL_SECONDS: Final = 0.3
_CHUNK: Final = 65536


def files(fleet: Fleet) -> dict[str, Path]:
    """Return every log by its name: `hub`, `us-agent`, `us-kube-apiserver`."""
    own = {file.stem: file for file in sorted(fleet.logs.glob("*.log"))}
    for cluster in fleet.clusters:
        components = sorted((fleet.cluster_home(cluster) / "logs").glob("*.log"))
        own |= {f"{cluster}-{file.stem}": file for file in components}
    return own


def chosen(fleet: Fleet, name: str | None) -> dict[str, Path]:
    """Return the named log, without a name those of our own programs.

    Raises LocalError with the names that there are.
    """
    known = files(fleet)
    if name is None:
        return {own: path for own, path in known.items() if path.parent == fleet.logs}
    if name not in known:
        raise LocalError(f"no log `{name}`: there are {', '.join(known)}")
    return {name: known[name]}


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last lines of a file, reading no more of it than they may fill."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _CHUNK))
        return file.read().decode(errors="replace").splitlines()[-count:]


def follow(paths: Mapping[str, Path], *, from_start: bool = False) -> Iterator[tuple[str, str]]:
    """Yield names and lines as they are written, from now on; never ends."""
    offsets = {n: 0 if from_start else path.stat().st_size for n, path in paths.items()}
    while True:
        for name, path in paths.items():
            for line in _new_lines(path, offsets, name):
                yield name, line
        time.sleep(_POLL_SECONDS)


def _new_lines(path: Path, offsets: dict[str, int], name: str) -> list[str]:
    size = path.stat().st_size
    if size < offsets[name]:
        offsets[name] = 0
    with path.open("rb") as file:
        file.seek(offsets[name])
        whole, newline, _ = file.read().rpartition(b"\n")
    offsets[name] += len(whole) + len(newline)
    return whole.decode(errors="replace").splitlines() if newline else []
