"""A tool is run as the user has it, else as it was built."""

from pathlib import Path

import pytest

from cli.programs import NoProgramError, program


def test_the_user_s_own_goes_before_the_one_that_was_built(tmp_path: Path) -> None:
    for folder in ("own", "modelfleet/binaries/current"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "helm").touch(0o700)
    environ = {"PATH": str(tmp_path / "own"), "XDG_CACHE_HOME": str(tmp_path)}
    assert program("helm", environ) == str(tmp_path / "own" / "helm")
    assert "current" in program("helm", environ | {"PATH": str(tmp_path)})


def test_none_at_all_is_said_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(NoProgramError, match=r"helm is not on PATH.*modelfleet local binaries"):
        program("helm", {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)})
