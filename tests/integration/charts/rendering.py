"""Helm as a user calls it, and the charts with the values that they are tried with."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from typing_extensions import override

from fleet.testing.apiserver import ADMIN, ApiServer

CHARTS = Path(__file__).parents[3] / "charts"
NAMESPACE = "modelfleet-system"
PROGRAMS = ("hub", "member-agent", "gateway")


@dataclass(frozen=True, slots=True)
class Installation:
    """A chart with a file of values, none for its defaults."""

    chart: str
    values: Path | None = None

    @property
    def arguments(self) -> tuple[str | Path, ...]:
        return (CHARTS / self.chart, *(("--values", self.values) if self.values else ()))

    @override
    def __str__(self) -> str:
        return f"{self.chart}-{self.values.stem if self.values else 'defaults'}"


def installations() -> Iterator[Installation]:
    """Yield every chart with each of its files of values, and with none where it needs none."""
    for chart in ("crds", "hub", "gateway"):
        yield Installation(chart)
    for values in sorted(CHARTS.glob("*/ci/*-values.yaml")):
        yield Installation(values.parents[1].name, values)


class Helm:
    def __init__(self, program: Path, home: Path) -> None:
        self._program = program
        self._environ = {
            **os.environ,
            **{f"HELM_{kind}_HOME": str(home / kind) for kind in ("CACHE", "CONFIG", "DATA")},
        }

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._program, *arguments],
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def succeed(self, *arguments: str | Path) -> str:
        done = self.run(*arguments)
        assert not done.returncode, done.stderr
        return done.stdout

    def render(self, installation: Installation) -> list[Mapping[str, Any]]:
        name = f"modelfleet-{installation.chart}"
        said = self.succeed("template", name, *installation.arguments, "--namespace", NAMESPACE)
        return [found for found in yaml.safe_load_all(said) if found]


def access(server: ApiServer) -> tuple[str, ...]:
    """Tell Helm where a test's server is, and that an administrator asks."""
    flags = (f"--kube-apiserver={server.url}", f"--kube-ca-file={server.ca_file}")
    return (*flags, f"--kube-token={ADMIN}")
