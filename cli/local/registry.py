"""Which local fleets there are on this machine, and which ports and folder each of them has."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from cli.local import procfs
from cli.local.errors import LocalError
from cli.local.progress import Progress
from cli.local.topology import REGIONS, SLOTS, Fleet, first_slot

_RECORD: Final = "fleet.json"


class _Record(msgspec.Struct):
    slot: int
    members: tuple[str, ...]


def state_folder(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "modelfleet" / "fleets"


@dataclass(frozen=True, slots=True)
class Registry:
    folder: Path

    def find(self, name: str) -> Fleet | None:
        record = self._read(name)
        return self._fleet(name, record) if record else None

    def get(self, name: str) -> Fleet:
        """Return a fleet that is there.

        Raises LocalError that says how to make it.
        """
        if fleet := self.find(name):
            return fleet
        raise LocalError(f"no local fleet `{name}`: `modelfleet local up` makes one")

    def create(self, name: str, members: tuple[str, ...]) -> Fleet:
        """Return the fleet, with ports that no other fleet has.

        Raises LocalError for a member that there is no region for, or when it has others already.
        """
        if unknown := set(members) - set(REGIONS):
            known = ", ".join(REGIONS)
            raise LocalError(f"unknown member {', '.join(sorted(unknown))}: there are {known}")
        if fleet := self.find(name):
            if set(members) != set(fleet.members):
                raise LocalError(f"fleet `{name}` has members {', '.join(fleet.members)}")
            return fleet
        ordered = tuple(member for member in REGIONS if member in members)
        fleet = self._fleet(name, _Record(self._free_slot(name, ordered), ordered))
        for folder in (fleet.logs, fleet.pids, fleet.config, fleet.kwok):
            folder.mkdir(parents=True, exist_ok=True)
        record = msgspec.json.encode(_Record(fleet.slot, fleet.members))
        (fleet.home / _RECORD).write_bytes(record)
        return fleet

    def any(self, name: str) -> Fleet:
        """Return the fleet, or what is left of one whose record is gone."""
        return self.find(name) or self._fleet(name, _Record(0, tuple(REGIONS)))

    def forget(self, name: str) -> None:
        """Delete all files of a fleet."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / f".{name}.lock").unlink(missing_ok=True)

    @contextmanager
    def locked(self, name: str, progress: Progress) -> Iterator[None]:
        """Let one command at a time change a fleet; another waits for its end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder / f".{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with progress.step(f"another command that works on fleet `{name}`"):
                    fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _free_slot(self, name: str, members: tuple[str, ...]) -> int:
        taken = {record.slot for record in map(self._read, self._names()) if record}
        first = first_slot(name)
        if first == 0:
            return first
        for step in range(SLOTS - 1):
            slot = 1 + (first - 1 + step) % (SLOTS - 1)
            if slot not in taken and not self._in_use(name, slot, members):
                return slot
        raise LocalError("no ports are left for another fleet")

    def _in_use(self, name: str, slot: int, members: tuple[str, ...]) -> bool:
        """Tell whether somebody whose records are elsewhere has these ports."""
        fleet = self._fleet(name, _Record(slot, members))
        ports = [fleet.gateway_port, *(fleet.ports(c).apiserver for c in fleet.clusters)]
        return any(procfs.listener(port) for port in ports)

    def _names(self) -> list[str]:
        return [file.parent.name for file in self.folder.glob(f"*/{_RECORD}")]

    def _read(self, name: str) -> _Record | None:
        try:
            return msgspec.json.decode((self.folder / name / _RECORD).read_bytes(), type=_Record)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def _fleet(self, name: str, record: _Record) -> Fleet:
        return Fleet(name, record.slot, record.members, self.folder / name)
