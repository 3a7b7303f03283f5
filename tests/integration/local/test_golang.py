"""What brings Go where a machine has none: some pip, and be it one that we make."""

from pathlib import Path

from cli.local import golang
from cli.local.execute import execute


async def test_an_environment_without_pip_is_given_one(tmp_path: Path) -> None:
    """Those that uv makes have none, and uv need not be on PATH."""
    command = await golang.INSTALLERS[-1](tmp_path)
    until = command.index("install") + 1
    assert b"--target" in await execute([*command[:until], "--help"], deadline=60)
