"""Build with Go what no machine brings along, once, into a cache keyed by version."""

import fcntl
import json
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.local import golang
from cli.local.execute import execute
from cli.local.products import PRODUCTS, Definitions, Product, Tool, key, link_flags, product_key
from cli.local.progress import Progress

_TOOL_SECONDS = 1800
"""The slowest takes three minutes on two cores with nothing downloaded yet."""
_MANY = 8


def modules_folder() -> Path:
    """Return `tools/go` of the repository, or its copy in the installed package."""
    installed = Path(__file__).parent / "go"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "tools" / "go"


class Builder:
    """Builds into `<cache>/binaries/built`, and links what is of one time into `<key>` beside it.

    The link `current` points to what was asked for last.
    """

    def __init__(self, modules: Path, cache: Path, path: str, progress: Progress) -> None:
        self._modules = modules
        self._path = path
        self._cache = cache
        self._progress = progress
        self.folder = cache / "binaries" / key(modules)

    async def build(self, names: Collection[str]) -> None:
        """Make sure that the named products are in the folder."""
        if self._missing(names):
            self.folder.mkdir(parents=True, exist_ok=True)
            with _locked(self.folder.parent / ".lock", self._progress):
                await self._build([p for p in self._missing(names) if not self._made(p).exists()])
                for product in self._missing(names):
                    self._link(self.folder / product.name, self._made(product))
        self._link(self.folder.parent / "current", self.folder)

    def _missing(self, names: Collection[str]) -> list[Product]:
        asked = [product for product in PRODUCTS if product.name in names]
        return [product for product in asked if not (self.folder / product.name).exists()]

    def _made(self, product: Product) -> Path:
        return self.folder.parent / "built" / product_key(self._modules, product)

    def _link(self, link: Path, target: Path) -> None:
        relative = Path(os.path.relpath(target, link.parent))
        if link.is_symlink() and link.readlink() == relative:
            return
        unfinished = link.parent / f".{link.name}-{os.getpid()}"
        unfinished.symlink_to(relative)
        unfinished.replace(link)

    async def _build(self, products: list[Product]) -> None:
        if not products:
            return
        minutes = "about 13 minutes on 2 cores" if len(products) >= _MANY else "a while"
        self._progress.say(f"Building {len(products)} products with Go, once: {minutes}")
        go, environ = await golang.provide(
            golang.required_version(self._modules), self._path, self._cache, self._progress
        )
        environ |= {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
        for number, product in enumerate(products, 1):
            with self._progress.step(f"build {product.name} ({number}/{len(products)})"):
                await self._build_one(go, environ, product)
        self._forget_go()

    async def _build_one(self, go: Path, environ: dict[str, str], product: Product) -> None:
        made = self._made(product)
        unfinished = made.parent / f".{product.name}"
        made.parent.mkdir(exist_ok=True)
        match product:
            case Tool():
                await self._compile(go, environ, product, unfinished)
            case Definitions():
                await self._copy(go, environ, product, unfinished)
        unfinished.replace(made)

    async def _compile(self, go: Path, environ: dict[str, str], tool: Tool, target: Path) -> None:
        flags = ["-trimpath", "-buildvcs=false", "-ldflags", link_flags(self._modules, tool)]
        await execute(
            [go, "build", *flags, "-o", target, tool.package],
            environ=environ,
            folder=self._modules / tool.module,
            deadline=_TOOL_SECONDS,
        )

    async def _copy(
        self, go: Path, environ: dict[str, str], definitions: Definitions, target: Path
    ) -> None:
        found: list[Path] = []
        for module, pattern in definitions.sources:
            said = await execute(
                [go, "mod", "download", "-json", module],
                environ=environ,
                folder=self._modules / definitions.module,
                deadline=_TOOL_SECONDS,
            )
            found += _matching(json.loads(said)["Dir"], pattern)
        _copy_all(found, target)

    def _forget_go(self) -> None:
        """Delete a Go that we brought, with its caches: Go writes its modules read-only."""
        brought = self._cache / "go"
        for folder, _, _ in os.walk(brought):
            Path(folder).chmod(0o755)
        shutil.rmtree(brought, ignore_errors=True)


def _matching(folder: str, pattern: str) -> list[Path]:
    return sorted(Path(folder).glob(pattern))


def _copy_all(files: list[Path], target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for file in files:
        (target / file.name).write_bytes(file.read_bytes())


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
