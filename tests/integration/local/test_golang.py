"""What brings Go where a machine has none: some pip, and be it one that we make."""

from pathlib import Path

import pytest

from cli.local import golang
from cli.local.errors import CommandError
from cli.local.execute import execute


@pytest.mark.parametrize("installer", golang.INSTALLERS, ids=lambda found: found.__name__)
async def test_an_installer_is_there_or_says_that_it_is_not(
    installer: golang.Installer, tmp_path: Path
) -> None:
    try:
        program, *arguments = await installer(tmp_path)
        said = await execute([program, *_until_install(arguments), "--help"], deadline=60)
    except CommandError as error:
        assert any(word in str(error) for word in ("no uv", "No module named pip"))
        assert installer is not golang.INSTALLERS[-1]
    else:
        assert b"--target" in said


def _until_install(arguments: list[str | Path]) -> list[str | Path]:
    return arguments[: arguments.index("install") + 1]
