"""Where the control planes' programs come from: the user's own, else what we built."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.local import build
from cli.local.errors import CommandError, DeadlineError
from cli.local.execute import execute
from cli.local.golang import Version, parse_version
from cli.local.products import KARPENTER_CRDS, PRODUCTS
from cli.local.progress import Progress


@dataclass(frozen=True, slots=True)
class Group:
    """Programs that have to be of one version."""

    names: tuple[str, ...]
    at_least: Version


GROUPS: Final = (
    Group(("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"), (1, 33)),
    Group(("etcd",), (3, 5)),
    Group(("kwok", "kwokctl"), (0, 7)),
    Group(("helm",), (4, 0)),
)
_ASKED: Final = {"kubectl": ["version", "--client"], "helm": ["version", "--short"]}
_ASK_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Binaries:
    paths: Mapping[str, Path]
    karpenter_crds: Path

    def __getitem__(self, name: str) -> Path:
        return self.paths[name]

    @property
    def environ(self) -> dict[str, str]:
        """Environment for kwokctl, which looks for kubectl on PATH."""
        folder = self.paths["kubectl"].parent
        return {"PATH": os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])}


def cache_folder(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "modelfleet"


async def provide(
    environ: Mapping[str, str], progress: Progress, *, tests: bool = False
) -> Binaries:
    """Find or build all of them, and for `tests` what only they need too.

    Raises BuildError or CommandError with what the compiler said.
    """
    path = environ.get("PATH", os.defpath)
    builder = build.Builder(build.modules_folder(), cache_folder(environ), path, progress)
    own = await find_own(environ)
    wanted = [product for product in PRODUCTS if tests or not product.tests_only]
    names = [product.name for product in wanted if product.name not in own]
    await builder.build(names)
    built = {name: builder.folder / name for name in names if name != KARPENTER_CRDS.name}
    return Binaries({**own, **built}, builder.folder / KARPENTER_CRDS.name)


async def find_own(environ: Mapping[str, str]) -> dict[str, Path]:
    """Find whole groups in KUBEBUILDER_ASSETS and PATH, of one version and new enough."""
    places = [environ.get("KUBEBUILDER_ASSETS", ""), environ.get("PATH", "")]
    search = os.pathsep.join(filter(None, places))
    own: dict[str, Path] = {}
    for group in GROUPS:
        found = {name: shutil.which(name, path=search) for name in group.names}
        paths = {name: Path(path) for name, path in found.items() if path}
        if len(paths) == len(group.names) and await _fit(group, paths):
            own |= paths
    return own


async def _fit(group: Group, paths: Mapping[str, Path]) -> bool:
    versions = {await _version(name, path) for name, path in paths.items()}
    return len(versions) == 1 and versions.pop() >= group.at_least


async def _version(name: str, path: Path) -> Version:
    arguments = _ASKED.get(name, ["--version"])
    try:
        return parse_version((await execute([path, *arguments], deadline=_ASK_SECONDS)).decode())
    except (CommandError, DeadlineError, OSError):
        return ()
