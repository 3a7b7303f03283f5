"""The wheel holds all that the command reads, and works where only its own dependencies are."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile

import pytest

REPOSITORY = Path(__file__).parents[3]
OWN_UV = REPOSITORY / ".local" / "uv" / "bin"
"""Where the Makefile puts uv on a machine without it."""
BUILD_SECONDS = 240
PARTS = {
    "crds": ("crds", "*.yaml"),
    "presets": ("presets", "**/*.yaml"),
    "charts": ("cli/charts", "**/*.*"),
    "examples": ("cli/examples", "*.yaml"),
    "tools/go": ("cli/local/go", "*/go.*"),
    "cli/local": ("cli/local", "*.yaml"),
}
"""Folders of the repository, where they are in the wheel, and which of their files."""


class Checkout:
    """What a developer has: the repository, uv, and its cache filled by `uv sync`."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        path = f"{OWN_UV}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        uv = shutil.which("uv", path=path)
        assert uv, "uv is needed, as for everything in the Makefile"
        self._uv = uv

    def uv(self, *words: str, **environ: str) -> None:
        """Run it from the cache if that has all, else with an index."""
        known = {**os.environ, **environ}
        if run([self._uv, *words, "--offline"], REPOSITORY, known).returncode:
            done = run([self._uv, *words], REPOSITORY, known)
            assert done.returncode == 0, done.stderr

    def wheel(self) -> Path:
        self.uv("build", "--wheel", "--out-dir", str(self.scratch), str(REPOSITORY))
        (built,) = self.scratch.glob("*.whl")
        return built

    def environment(self, wheel: Path) -> Path:
        """Install the wheel with the locked versions of what it depends on, without any extra."""
        place = self.scratch / "venv"
        python = ["--python", sys.executable]
        only = ["--frozen", "--no-dev", "--no-install-project"]
        self.uv("sync", *only, *python, UV_PROJECT_ENVIRONMENT=str(place))
        self.uv("pip", "install", "--no-deps", "--python", str(place / "bin/python"), str(wheel))
        return place


def run(
    words: list[str], folder: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=BUILD_SECONDS,
    )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def wheel(checkout: Checkout) -> Path:
    return checkout.wheel()


class Installed:
    """A user who has installed the wheel, and nothing else, and is nowhere near the repository."""

    def __init__(self, place: Path, home: Path) -> None:
        self.place, self.home = place, home
        self.environ = {"HOME": str(home), "PATH": os.defpath, "LANG": "C.UTF-8"}

    def types(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run([str(self.place / "bin/modelfleet"), *words], self.home, self.environ)

    def python(self, code: str) -> str:
        done = run([str(self.place / "bin/python"), "-c", code], self.home, self.environ)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def place(checkout: Checkout, wheel: Path) -> Path:
    return checkout.environment(wheel)


@pytest.fixture
def installed(place: Path, tmp_path: Path) -> Installed:
    return Installed(place, tmp_path)


@pytest.mark.parametrize("folder", PARTS)
def test_the_wheel_holds_every_file_that_the_command_reads(wheel: Path, folder: str) -> None:
    target, pattern = PARTS[folder]
    source = REPOSITORY / folder
    wanted = {f"{target}/{file.relative_to(source)}" for file in source.glob(pattern)}
    assert wanted
    assert wanted - set(ZipFile(wheel).namelist()) == set()


def test_the_wheel_holds_neither_tests_nor_benchmarks(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in ZipFile(wheel).namelist()}
    packages = {top for top in tops if not top.endswith(".dist-info")}
    assert packages == {"cli", "crds", "fleet", "gateway", "hub", "member_agent", "presets"}


def test_a_placement_is_explained_with_the_base_dependencies_alone(installed: Installed) -> None:
    examples = REPOSITORY / "examples"
    files = ["-f", str(examples / "phi-4-mini.yaml"), "--fleet", str(examples / "fleet.yaml")]
    done = installed.types("explain", *files)
    assert done.returncode == 0, done.stderr
    chosen = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("✓")]
    assert chosen == ["eu"]


def test_the_installed_package_finds_its_own_files(installed: Installed) -> None:
    code = (
        "from cli.local.build import modules_folder; from cli.local.products import key;"
        "from pathlib import Path; import cli;"
        "folder = Path(cli.__file__).parent;"
        "assert modules_folder().is_relative_to(folder), modules_folder();"
        "print(len(list((folder / 'examples').glob('*.yaml'))), key(modules_folder()))"
    )
    count = len(list((REPOSITORY / "examples").glob("*.yaml")))
    number, key = installed.python(code).split()
    assert int(number) == count
    assert len(key) == 12


def test_what_an_extra_brings_is_asked_for_by_its_name(installed: Installed) -> None:
    hub = installed.types("explain", "chat")
    assert hub.returncode == 1
    assert "uv tool install 'modelfleet[kube]'" in hub.stderr
    demo = installed.types("demo", "--fleet", "other")
    assert (demo.returncode, demo.stderr) == (
        1,
        "modelfleet demo needs openai; install it with: uv tool install 'modelfleet[local]'\n",
    )


@pytest.mark.parametrize("words", [(), ("--help",)])
def test_the_help_is_there_without_any_extra(installed: Installed, words: tuple[str, ...]) -> None:
    done = installed.types(*words)
    assert {"explain", "chat", "demo", "up", "local"} <= set(done.stdout.split())
    assert "Traceback" not in done.stderr
