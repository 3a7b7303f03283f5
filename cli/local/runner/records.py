"""What was started for which pod, on disk: a runner that starts again takes up where it was."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from fleet.api.objects import Key

_FILE = "record.json"


class Ending(Struct, frozen=True):
    """How a run came to its end."""

    exit_code: int
    reason: str
    at: datetime
    message: str = ""


class Stopping(Struct, frozen=True):
    """That a run was told to end, and when it is ended."""

    deadline: datetime
    why: str


class Run(Struct, frozen=True):
    """One life of a container; `number` counts the lives before it."""

    number: int
    pid: int
    started: str
    """When, as the kernel says it: tells the process from another with its pid."""
    started_at: datetime
    stopping: Stopping | None = None
    ended: Ending | None = None


class Record(Struct, frozen=True):
    """A pod that was taken in."""

    uid: str
    namespace: str
    name: str
    address: str
    admitted_at: datetime
    run: Run | None = None
    before: Run | None = None
    """The run before, for what it ended with."""
    crashes: int = 0
    """Runs in a row that ended soon; the next one waits the longer."""

    @property
    def key(self) -> Key:
        return Key(self.namespace, self.name)


class Records:
    """Records by uid, kept in memory and on disk alike."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._records = {record.uid: record for record in _read_all(folder)}

    def __iter__(self) -> Iterator[Record]:
        return iter(tuple(self._records.values()))

    def get(self, uid: str) -> Record | None:
        return self._records.get(uid)

    def of(self, key: Key) -> tuple[Record, ...]:
        return tuple(record for record in self if record.key == key)

    @property
    def addresses(self) -> frozenset[str]:
        return frozenset(record.address for record in self)

    def home(self, uid: str) -> Path:
        """Folder of a pod's files."""
        return self._folder / uid

    def put(self, record: Record) -> None:
        home = self.home(record.uid)
        home.mkdir(parents=True, exist_ok=True)
        new = home / f"{_FILE}.new"
        new.write_bytes(msgspec.json.encode(record))
        new.replace(home / _FILE)
        self._records[record.uid] = record

    def drop(self, uid: str) -> None:
        """Forget a pod and remove its files."""
        self._records.pop(uid, None)
        shutil.rmtree(self.home(uid), ignore_errors=True)


def _read_all(folder: Path) -> Iterator[Record]:
    for file in sorted(folder.glob(f"*/{_FILE}")):
        with suppress(OSError, msgspec.MsgspecError):
            yield msgspec.json.decode(file.read_bytes(), type=Record)
