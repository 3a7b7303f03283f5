"""Tries the kinds and the hub's policies on the API server of each version of Kubernetes."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cli.local import golang
from cli.local.binaries import cache_folder
from cli.local.execute import execute
from cli.local.products import version_of
from cli.local.progress import Progress

MODULES: Final = Path(__file__).parent / "versions"
"""A Go module for each version but the newest, with which everything else is tested."""
PACKAGE: Final = "k8s.io/kubernetes/cmd/kube-apiserver"
NAMED: Final = "k8s.io/component-base/version.gitVersion"
OTHERS: Final = ("etcd", "helm")
TESTS: Final = ("tests/integration/api",)
NEWEST: Final = "1.36"
BUILD_SECONDS: Final = 3600.0
_PREFIX: Final = "kubernetes-"


def versions() -> tuple[str, ...]:
    found = (folder.name.removeprefix(_PREFIX) for folder in MODULES.glob(f"{_PREFIX}*"))
    return (*sorted(found), NEWEST)


async def programs(version: str, cache: Path) -> Path:
    """Give a folder with the API server of a version, and what a test of it needs beside."""
    current = cache / "binaries" / "current"
    if version == NEWEST:
        return current
    folder = cache / "binaries" / "versions" / version
    folder.mkdir(parents=True, exist_ok=True)
    for name in OTHERS:
        _link(folder / name, (current / name).resolve())
    _link(folder / "kube-apiserver", await _built(version, cache))
    return folder


async def _built(version: str, cache: Path) -> Path:
    """Build an API server, once: some minutes."""
    module = MODULES / f"{_PREFIX}{version}"
    release = version_of(module / "go.mod", "k8s.io/kubernetes")
    made = cache / "binaries" / "built" / f"kube-apiserver-{release}"
    if made.exists():
        return made
    progress = Progress()
    needed = golang.required_version(MODULES)
    go, environ = await golang.provide(needed, os.environ.get("PATH", ""), cache, progress)
    environ |= {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    unfinished = made.with_name(f".{made.name}")
    made.parent.mkdir(parents=True, exist_ok=True)
    flags = ["-trimpath", "-buildvcs=false", "-ldflags", f"-s -w -X {NAMED}={release}"]
    with progress.step(f"build kube-apiserver {release}"):
        await execute(
            [go, "build", *flags, "-o", unfinished, PACKAGE],
            environ=environ,
            folder=module,
            deadline=BUILD_SECONDS,
        )
    unfinished.replace(made)
    return made


def _link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target)


async def tried(version: str, cache: Path) -> bool:
    """Run the tests on a version."""
    Progress().say(f"Kubernetes {version}")
    environ = {**os.environ, "KUBEBUILDER_ASSETS": str(await programs(version, cache))}
    pytest = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", *TESTS, "--quiet"), env=environ
    )
    return await pytest.wait() == 0


async def main(asked: Sequence[str]) -> int:
    cache = cache_folder(os.environ)
    failed = [each for each in asked or versions() if not await tried(each, cache)]
    if failed:
        Progress().say(f"failed on Kubernetes {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
