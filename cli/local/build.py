"""Build with Go what no machine brings along, once, into a cache keyed by version."""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.local import golang
from cli.local.errors import BuildError
from cli.local.execute import execute
from cli.local.progress import Progress


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    module: str
    """Folder below `tools/go`: each has its own, since they want different libraries."""
    package: str


TOOLS: Final = (
    Tool("kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
    Tool("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
    Tool("kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl"),
    Tool(
        "kube-controller-manager",
        "kubernetes",
        "k8s.io/kubernetes/cmd/kube-controller-manager",
    ),
    Tool("kube-scheduler", "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler"),
    Tool("kwokctl", "kwok", "sigs.k8s.io/kwok/cmd/kwokctl"),
    Tool("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    Tool("karpenter-kwok", "karpenter", "sigs.k8s.io/karpenter/kwok"),
)
CRDS: Final = "karpenter-crds"
_CRD_FOLDERS = ("pkg/apis/crds", "kwok/apis/crds")

_TOOL_SECONDS = 1800
"""The slowest takes three minutes on two cores with nothing downloaded yet."""


def modules_folder() -> Path:
    """Return `tools/go` of the repository, or its copy in the installed package."""
    installed = Path(__file__).parent / "go"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "tools" / "go"


def key(modules: Path) -> str:
    """Name what would be built: another version in any go.mod gives another key."""
    digest = hashlib.sha256()
    for module in sorted(modules.glob("*/go.mod")):
        digest.update(module.parent.name.encode() + b"\0" + module.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def version_of(module: Path, path: str) -> str:
    """Return the version of a required Go module, `v1.36.3`."""
    match = re.search(rf"^\s*{re.escape(path)} (v\S+)", module.read_text(), re.MULTILINE)
    if not match:
        raise BuildError(f"{module} does not require {path}")
    return match[1]


class Builder:
    """Builds into `<cache>/binaries/<key>`, which the link `current` then points to."""

    def __init__(self, modules: Path, cache: Path, path: str, progress: Progress) -> None:
        self._modules = modules
        self._path = path
        self._cache = cache
        self._progress = progress
        self.folder = cache / "binaries" / key(modules)

    async def build(self, names: Collection[str]) -> None:
        """Make sure that the named tools and Karpenter's CRDs are in the folder."""
        if self._missing(names):
            self.folder.mkdir(parents=True, exist_ok=True)
            with _locked(self.folder / ".lock", self._progress):
                await self._build(self._missing(names))
        self._point_here()

    def _point_here(self) -> None:
        current = self.folder.parent / "current"
        if current.is_symlink() and current.readlink() == Path(self.folder.name):
            return
        link = self.folder.parent / f".current-{os.getpid()}"
        link.symlink_to(self.folder.name)
        link.replace(current)

    def _missing(self, names: Collection[str]) -> list[Tool]:
        missing = [tool for tool in TOOLS if tool.name in names]
        missing = [tool for tool in missing if not (self.folder / tool.name).exists()]
        if not missing and not (self.folder / CRDS).is_dir():
            return [TOOLS[-1]]
        return missing

    async def _build(self, tools: list[Tool]) -> None:
        if not tools:
            return
        minutes = "about 10 minutes on 2 cores" if len(tools) == len(TOOLS) else "a while"
        self._progress.say(f"Building {len(tools)} binaries with Go, once: {minutes}")
        go, environ = await golang.provide(
            golang.required_version(self._modules), self._path, self._cache, self._progress
        )
        environ |= {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
        for number, tool in enumerate(tools, 1):
            with self._progress.step(f"build {tool.name} ({number}/{len(tools)})"):
                await self._build_one(go, environ, tool)
        await self._copy_crds(go, environ)
        self._forget_go()

    async def _build_one(self, go: Path, environ: dict[str, str], tool: Tool) -> None:
        module = self._modules / tool.module
        unfinished = self.folder / f".{tool.name}"
        flags = ["-trimpath", "-buildvcs=false", "-ldflags", self._ldflags(tool)]
        await execute(
            [go, "build", *flags, "-o", unfinished, tool.package],
            environ=environ,
            folder=module,
            deadline=_TOOL_SECONDS,
        )
        unfinished.replace(self.folder / tool.name)

    def _ldflags(self, tool: Tool) -> str:
        if tool.module != "kubernetes":
            return "-s -w"
        version = version_of(self._modules / tool.module / "go.mod", "k8s.io/kubernetes")
        return f"-s -w -X k8s.io/component-base/version.gitVersion={version}"

    async def _copy_crds(self, go: Path, environ: dict[str, str]) -> None:
        target = self.folder / CRDS
        if target.is_dir():
            return
        module = "sigs.k8s.io/karpenter"
        said = await execute(
            [go, "list", "-m", "-f", "{{.Dir}}", module],
            environ=environ,
            folder=self._modules / "karpenter",
            deadline=_TOOL_SECONDS,
        )
        source, unfinished = Path(said.decode().strip()), self.folder / f".{CRDS}"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        for folder in _CRD_FOLDERS:
            for crd in (source / folder).glob("*.yaml"):
                (unfinished / crd.name).write_bytes(crd.read_bytes())
        unfinished.replace(target)

    def _forget_go(self) -> None:
        """Delete a Go that we brought, with its caches: Go writes its modules read-only."""
        brought = self._cache / "go"
        for folder, _, _ in os.walk(brought):
            Path(folder).chmod(0o755)
        shutil.rmtree(brought, ignore_errors=True)


@contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    """Let one builder work at a time; the others find everything built."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with progress.step("another build of the same binaries"):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
