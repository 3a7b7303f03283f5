"""Programs that the user has are taken where they are all there, of one version, and new enough."""

from pathlib import Path

import pytest

from cli.local.binaries import find_own

KUBERNETES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
KWOK = ("kwok", "kwokctl")


def install(folder: Path, **versions: str) -> str:
    """Put programs there that do no more than say their version."""
    folder.mkdir(exist_ok=True)
    for name, version in versions.items():
        file = folder / name.replace("_", "-")
        file.write_text(f"#!/bin/sh\necho '{version}'\n")
        file.chmod(0o755)
    return str(folder)


def kubernetes(version: str, **other: str) -> dict[str, str]:
    return {name.replace("-", "_"): version for name in KUBERNETES} | other


@pytest.mark.parametrize(
    ("versions", "names"),
    [
        (kubernetes("Kubernetes v1.33.0"), KUBERNETES),
        (kubernetes("v1.36.3", etcd="etcd Version: 3.5.1"), (*KUBERNETES, "etcd")),
        (kubernetes("v1.32.9"), ()),
        (kubernetes("v1.36.3", kubectl="Client Version: v1.35.0"), ()),
        (kubernetes("no version at all"), ()),
        (kubernetes("v1.36.3", kubectl="v1.36.3'; exit 1 # '"), ()),
        ({"kubectl": "v1.36.3"}, ()),
        ({"etcd": "3.4.9"}, ()),
        ({"kwok": "kwok version v0.7.0 (linux/amd64)", "kwokctl": "v0.7.0"}, KWOK),
        ({"kwok": "v0.7.0"}, ()),
        ({"helm": "v4.0.1+gabcdef0"}, ("helm",)),
        ({"helm": "v3.19.0+gabcdef0"}, ()),
    ],
    ids=[
        "all of Kubernetes",
        "with etcd",
        "too old",
        "of two versions",
        "of none",
        "one that fails",
        "one of four",
        "etcd too old",
        "both of kwok",
        "one of kwok",
        "helm",
        "helm too old",
    ],
)
async def test_a_whole_group_is_taken_or_none_of_it(
    tmp_path: Path, versions: dict[str, str], names: tuple[str, ...]
) -> None:
    folder = install(tmp_path / "bin", **versions)
    found = await find_own({"PATH": folder})
    assert found == {name: Path(folder) / name for name in names}


async def test_kubebuilder_s_folder_goes_before_the_path(tmp_path: Path) -> None:
    path = install(tmp_path / "bin", etcd="3.6.0")
    assets = install(tmp_path / "assets", etcd="3.5.9")
    found = await find_own({"PATH": path, "KUBEBUILDER_ASSETS": assets})
    assert found == {"etcd": Path(assets) / "etcd"}
