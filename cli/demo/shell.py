"""Run modelfleet's own commands as a user would, and show each of them."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

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
        run = self._retold if self.console.record else self._told
        if run(self._command(arguments)):
            raise DemoError(f"`modelfleet {shown}` failed")

    def _told(self, command: list[str]) -> int:
        """Let a command speak for itself."""
        done = subprocess.run(command, check=False, timeout=COMMAND_SECONDS, env=self._environ)
        return done.returncode

    def _retold(self, command: list[str]) -> int:
        """Say what a command says, line by line, so that it is recorded."""
        environ = self._environ | {
            "COLUMNS": str(self.console.width),
            "FORCE_COLOR": "1",
            "TTY_INTERACTIVE": "0",
        }
        with subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as running:
            for line in running.stdout or ():
                said = Text.from_ansi(line.rstrip("\n"))
                self.console.print(said, no_wrap=True, overflow="ellipsis")
        return running.returncode

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
