"""Which versions of Kubernetes the kinds are tried on, and from what they are built."""

from cli.local.build import modules_folder
from cli.local.products import version_of
from tools.api_versions import MODULES, NEWEST, PACKAGE, versions


def test_each_version_is_built_from_a_module_that_pins_it() -> None:
    assert versions() == ("1.33", "1.34", "1.35", NEWEST)
    for version in versions()[:-1]:
        module = (MODULES / f"kubernetes-{version}" / "go.mod").read_text("utf-8")
        assert f"tool {PACKAGE}\n" in module
        assert f"\tk8s.io/api => k8s.io/api v0.{version.removeprefix('1.')}." in module
        assert f"k8s.io/kubernetes v{version}." in module


def test_the_newest_is_that_with_which_everything_else_is_tried() -> None:
    module = modules_folder() / "kubernetes" / "go.mod"
    assert version_of(module, "k8s.io/kubernetes").startswith(f"v{NEWEST}.")
