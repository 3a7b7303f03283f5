"""Snapshots as files: the last one, for a start without the hub, and one that a person wrote."""

import logging
import os
from pathlib import Path

import msgspec

from gateway import config
from gateway.snapshot import Snapshot

log = logging.getLogger(__name__)
_decode = msgspec.json.Decoder(Snapshot).decode


def load(path: Path) -> Snapshot | None:
    """Read a snapshot; None, and a word in the log, where there is none that can be read."""
    try:
        return _decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        log.warning("no routes in a file", extra={"file": str(path), "why": str(error)})
        return None


def configured(path: Path) -> Snapshot | None:
    """Read what a person wrote; None, and a word in the log, where it is wrong."""
    try:
        return config.snapshot(config.read(path))
    except config.ConfigError as error:
        extra = {"file": str(path), "why": str(error), "way_out": "the old routes serve until then"}
        log.warning("the configuration is wrong", extra=extra)
        return None


def save(path: Path, snapshot: Snapshot) -> None:
    """Replace the file as a whole; it is nobody else's to read."""
    new = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(snapshot))
        new.replace(path)
    except OSError as error:
        log.warning("cannot keep the routes", extra={"file": str(path), "why": str(error)})
