"""What is built, with which Go, and when it counts as built; the compiler is a shell script."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from cli.local import binaries, build, golang, products
from cli.local.errors import CommandError
from cli.local.progress import Progress

MODULES = build.modules_folder()

GO = """#!/bin/sh
echo "$@" >> {log}
case "$1" in
  version) echo "go version go{version} linux/amd64" ;;
  mod) echo '{{"Dir": "{karpenter}"}}' ;;
  build) while [ "$1" != -o ]; do shift; done; echo built > "$2" ;;
esac
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Make a Go that writes down what it is asked."""
    return fake_go(tmp_path, "1.99.0")


def fake_go(folder: Path, version: str) -> Path:
    crds = folder / "karpenter" / "pkg" / "apis" / "crds"
    crds.mkdir(parents=True)
    (crds / "nodeclaims.yaml").write_text("kind: CustomResourceDefinition\n")
    go, log = folder / "path" / "go", folder / "go.log"
    go.parent.mkdir()
    go.write_text(GO.format(log=log, version=version, karpenter=folder / "karpenter"))
    go.chmod(0o755)
    return log


def builder(folder: Path) -> build.Builder:
    return build.Builder(MODULES, folder, str(folder / "path"), Progress())


def built(folder: Path, *names: str) -> Path:
    asyncio.run(builder(folder).build(names))
    return builder(folder).folder


def go_for(folder: Path) -> tuple[Path, dict[str, str]]:
    needed = golang.required_version(MODULES)
    return asyncio.run(golang.provide(needed, str(folder / "path"), folder, Progress()))


def test_every_tool_is_built_once(tmp_path: Path, log: Path) -> None:
    names = [product.name for product in products.PRODUCTS]
    folder = built(tmp_path, *names)
    assert {file.name for file in folder.iterdir()} == set(names)
    assert [file.name for file in (folder / "karpenter-crds").iterdir()] == ["nodeclaims.yaml"]
    asked = log.read_text()
    built(tmp_path, *names)
    assert log.read_text() == asked


def test_only_what_is_missing_is_built(tmp_path: Path, log: Path) -> None:
    built(tmp_path, "etcd")
    assert "server/v3" in log.read_text()
    assert "kube-apiserver" not in log.read_text()


def test_the_link_points_to_what_was_built_last(tmp_path: Path, log: Path) -> None:
    built(tmp_path, "etcd")
    assert (tmp_path / "binaries" / "current" / "etcd").read_text() == "built\n"
    assert log.exists()


def test_a_failed_build_leaves_no_half_binary_and_says_why(tmp_path: Path, log: Path) -> None:
    script = log.parent / "path" / "go"
    script.write_text(
        "#!/bin/sh\n[ $1 = version ] && echo go1.99 && exit; echo no space >&2; exit 1"
    )
    with pytest.raises(CommandError, match="no space"):
        built(tmp_path, "etcd")
    assert not (builder(tmp_path).folder / "etcd").exists()


def test_programs_are_told_their_version(tmp_path: Path, log: Path) -> None:
    built(tmp_path, "kubectl", "helm")
    assert "-X k8s.io/component-base/version.gitVersion=v1.36.3" in log.read_text()
    assert "-X helm.sh/helm/v4/internal/version.version=v4." in log.read_text()


def test_another_version_of_one_module_builds_that_module_alone(tmp_path: Path, log: Path) -> None:
    modules = shutil.copytree(MODULES, tmp_path / "modules")
    names = ("etcd", "kubectl")
    first = build.Builder(modules, tmp_path, str(tmp_path / "path"), Progress())
    asyncio.run(first.build(names))
    log.unlink()
    with (modules / "etcd" / "go.mod").open("a") as file:
        file.write("// another\n")
    second = build.Builder(modules, tmp_path, str(tmp_path / "path"), Progress())
    asyncio.run(second.build(names))
    assert "server/v3" in log.read_text()
    assert "kubectl" not in log.read_text()
    assert second.folder != first.folder
    assert {file.name for file in second.folder.iterdir()} == set(names)


def test_every_product_is_required_by_its_module() -> None:
    for product in products.PRODUCTS:
        text = (MODULES / product.module / "go.mod").read_text()
        match product:
            case products.Tool(package=package):
                assert package in text
            case products.Definitions(sources=sources):
                assert all(f"{path} v" in text for path, _ in sources)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("Kubernetes v1.36.3", (1, 36, 3)),
        ("Client Version: v1.36.3\nKustomize Version: v5.8.1", (1, 36, 3)),
        ("etcd Version: 3.6.16\nGit SHA: x", (3, 6, 16)),
        ("nothing", ()),
    ],
)
def test_versions_are_read_from_what_programs_say(said: str, version: tuple[int, ...]) -> None:
    assert golang.parse_version(said) == version


def test_a_go_on_path_that_is_new_enough_is_taken(log: Path, tmp_path: Path) -> None:
    go, environ = go_for(tmp_path)
    assert go == log.parent / "path" / "go"
    assert environ == {"GOTOOLCHAIN": "local"}


def test_an_old_go_on_path_is_not_taken(tmp_path: Path) -> None:
    fake_go(tmp_path, "1.20.0")
    brought = tmp_path / "go" / "go" / "bin" / "go"
    brought.parent.mkdir(parents=True)
    brought.touch()
    go, environ = go_for(tmp_path)
    assert go == brought
    assert environ["GOROOT"] == str(tmp_path / "go" / "go")


def programs(folder: Path, **versions: str) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, version in versions.items():
        file = folder / name.replace("_", "-")
        file.write_text(f"#!/bin/sh\necho v{version}\n")
        file.chmod(0o755)
    return {"KUBEBUILDER_ASSETS": str(folder), "PATH": os.defpath}


KUBERNETES = ("kube_apiserver", "kube_controller_manager", "kube_scheduler", "kubectl")


async def test_a_users_own_kubernetes_is_taken_when_it_is_whole(tmp_path: Path) -> None:
    environ = programs(tmp_path, **dict.fromkeys(KUBERNETES, "1.34.1"))
    own = await binaries.find_own(environ)
    assert sorted(own) == sorted(name.replace("_", "-") for name in KUBERNETES)


@pytest.mark.parametrize("odd", ["1.33.0", "1.35.2"])
async def test_programs_of_different_versions_are_not_taken(tmp_path: Path, odd: str) -> None:
    versions = dict.fromkeys(KUBERNETES, "1.34.1") | {"kubectl": odd}
    assert await binaries.find_own(programs(tmp_path, **versions)) == {}


async def test_an_old_kubernetes_is_not_taken(tmp_path: Path) -> None:
    environ = programs(tmp_path, **dict.fromkeys(KUBERNETES, "1.32.9"))
    assert await binaries.find_own(environ) == {}


async def test_a_lonely_kubectl_is_not_enough(tmp_path: Path) -> None:
    assert await binaries.find_own(programs(tmp_path, kubectl="1.36.0")) == {}


async def test_etcd_is_taken_by_itself(tmp_path: Path) -> None:
    assert list(await binaries.find_own(programs(tmp_path, etcd="3.6.1"))) == ["etcd"]
