"""Secrets in files: whole, their owner's alone, and nothing beside them."""

from pathlib import Path

import pytest

from fleet.runtime.secret_files import write


def test_a_secret_replaces_another_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o644)
    write(path, "new")
    assert (path.read_text(encoding="utf-8"), path.stat().st_mode & 0o777) == ("new", 0o600)
    assert [each.name for each in tmp_path.iterdir()] == ["token"]


def test_a_secret_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.mkdir()
    with pytest.raises(OSError, match="token"):
        write(path, "new")
    assert [each.name for each in tmp_path.iterdir()] == ["token"]
