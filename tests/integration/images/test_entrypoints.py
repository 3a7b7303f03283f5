"""Each image's program, run from what the Dockerfile copies and installs, and nothing else."""

import asyncio
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from fleet.testing.apiserver import free_port
from fleet.testing.waiting import until
from tests.integration.images.recipe import REPOSITORY, TARGETS, Stage, stages

OWN_UV = REPOSITORY / ".local" / "uv" / "bin"
IMPORT_ALL = """\
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(found.name)
"""
DISTRIBUTIONS = """\
from importlib.metadata import distributions
print(*sorted({found.name.lower().replace("_", "-") for found in distributions()}))
"""


class Image:
    """A folder for the root of an image."""

    def __init__(self, target: str, root: Path) -> None:
        self.target, self.root = target, root
        found = stages()
        self.stage, self._built = found[target], found[f"build-{target}"]
        self._install(found["build"])
        self._copy()

    def _install(self, build: Stage) -> None:
        """Install what the lock says, from the two files that the build stage has."""
        folder = self.root / "build"
        folder.mkdir()
        for source in build.copies()[0].sources:
            shutil.copy(REPOSITORY / source, folder)
        (sync,) = [run for run in self._built.all("RUN") if run.startswith("uv sync")]
        path = f"{OWN_UV}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        uv = shutil.which("uv", path=path)
        assert uv, "uv is needed, as for everything in the Makefile"
        environ = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(self.root / "venv")}
        environ.pop("VIRTUAL_ENV", None)
        words = [uv, *shlex.split(sync)[1:], "--quiet", "--python", sys.executable]
        if _run([*words, "--offline"], folder, environ).returncode:
            done = _run(words, folder, environ)
            assert done.returncode == 0, done.stderr

    def _copy(self) -> None:
        for copy in self._built.copies():
            for source in copy.sources:
                leave = shutil.ignore_patterns("__pycache__", "testing")
                target = self.root / copy.target.strip("/")
                shutil.copytree(REPOSITORY / source, target, ignore=leave)

    def environ(self, **more: str) -> dict[str, str]:
        """Set what the image sets."""
        given = [word.partition("=") for word in shlex.split(self.stage.last("ENV"))]
        ours = {name: value for name, _, value in given}
        fixed = {"PATH": os.defpath, "HOME": str(self.root), "PYTHONPATH": str(self.root / "app")}
        return ours | fixed | more

    def words(self, instruction: str) -> list[str]:
        program, *rest = self.stage.command(instruction)
        return [str(self.root / program.strip("/")), *rest]

    def run(self, words: list[str], **environ: str) -> subprocess.CompletedProcess[str]:
        return _run(words, self.root / "app", self.environ(**environ))

    def python(self, code: str, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run([self.words("ENTRYPOINT")[0], "-c", code, *words])

    def distributions(self) -> set[str]:
        return set(self.python(DISTRIBUTIONS).stdout.split())


def _run(
    words: list[str], folder: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=240
    )


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Image]:
    return {target: Image(target, tmp_path_factory.mktemp(target)) for target in TARGETS}


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_has_all_that_its_program_imports(images: dict[str, Image], target: str) -> None:
    done = images[target].python(IMPORT_ALL, target.replace("-", "_"))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("target", "environ", "said"),
    [
        ("hub", {"KUBECONFIG": "/nowhere"}, "hub: "),
        ("member-agent", {}, "member_agent: not set: MEMBER_AGENT_CLUSTER, MEMBER_AGENT_HUB_URL"),
        ("gateway", {}, "GATEWAY_CLIENT_KEYS_FILE: needed to listen on 0.0.0.0:8080"),
    ],
)
def test_an_image_that_lacks_its_settings_says_which(
    images: dict[str, Image], target: str, environ: dict[str, str], said: str
) -> None:
    done = images[target].run(images[target].words("ENTRYPOINT"), **environ)
    assert done.returncode == 1
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr


def test_no_image_holds_what_only_another_program_needs(images: dict[str, Image]) -> None:
    held = {target: image.distributions() for target, image in images.items()}
    assert {"kopf", "networkx", "numpy", "cachetools"} <= held["hub"] - held["gateway"]
    assert {"httptools", "uvloop"} <= held["gateway"] - held["hub"]
    assert not {"numpy", "networkx", "uvloop"} & held["member-agent"]
    for names in held.values():
        assert not {"typer", "rich", "openai", "psutil", "pytest"} & names


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_holds_no_code_of_another_program(images: dict[str, Image], target: str) -> None:
    app = images[target].root / "app"
    packages = {folder.name for folder in app.iterdir() if folder.is_dir()}
    assert packages - {"fleet", "presets"} == {target.replace("-", "_")}
    assert not (app / "fleet" / "testing").exists()


async def test_the_health_command_tells_whether_the_program_answers(
    images: dict[str, Image], tmp_path: Path
) -> None:
    image, address = images["gateway"], f"127.0.0.1:{free_port()}"
    routes = tmp_path / "routes"
    routes.write_text("{}")
    health = [*image.words("HEALTHCHECK")[:-1], f"http://{address}/healthz"]
    assert "Connection refused" in image.run(health).stderr
    environ = image.environ(GATEWAY_LISTEN=address, GATEWAY_SNAPSHOT_FILE=str(routes))
    words, folder = image.words("ENTRYPOINT"), image.root / "app"
    program = await asyncio.create_subprocess_exec(*words, env=environ, cwd=folder)
    try:
        await until(lambda: image.run(health).returncode == 0)
        missing = image.run([*health[:-1], f"http://{address}/nothing"])
        assert missing.returncode == 1
    finally:
        program.terminate()
        assert await asyncio.wait_for(program.wait(), 10) == 0
