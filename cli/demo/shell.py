"""Run modelfleet's own commands as a user would, and show each of them."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

COMMAND_SECONDS = 1800


class DemoError(Exception):
    """A step did not do what it should; the text says which."""


@dataclass(frozen=True, slots=True)
class Shell:
    console: Console
    fleet: str

    def show(self, *arguments: str) -> None:
        """Run a command whose output is for the user."""
        shown = " ".join(arguments)
        self.console.print(f"\n[bold cyan]$ modelfleet {shown}[/bold cyan]", highlight=False)
        done = subprocess.run(
            self._command(arguments), check=False, timeout=COMMAND_SECONDS, env=self._environ
        )
        if done.returncode:
            raise DemoError(f"`modelfleet {shown}` failed")

    def json(self, *arguments: str) -> Any:
        """Run a command whose output is for us."""
        command = self._command(arguments)
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            env=self._environ,
        )
        if done.returncode:
            raise DemoError(f"`modelfleet {' '.join(arguments)}` failed: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def get(self, cluster: str, kind: str, *arguments: str) -> Any:
        """Read objects of a cluster of the fleet."""
        kubectl = ("local", "kubectl", cluster, "--", "get", kind, *arguments, "-o", "json")
        return self.json(*kubectl)

    @property
    def _environ(self) -> dict[str, str]:
        """The user's environment, but with the demo's own fleet for hub."""
        own = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
        return own | {"MODELFLEET_FLEET": self.fleet}

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "cli", *arguments]
