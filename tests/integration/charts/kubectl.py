"""kubectl as an administrator of a test's server."""

import subprocess
from pathlib import Path

from fleet.testing.apiserver import ADMIN, ApiServer


class Kubectl:
    def __init__(self, program: Path, server: ApiServer, cache: Path) -> None:
        access = (f"--server={server.url}", f"--certificate-authority={server.ca_file}")
        own = (f"--token={ADMIN}", "--kubeconfig=/dev/null", f"--cache-dir={cache}")
        self._argv = (program, *access, *own)

    def run(self, *arguments: str, text: str = "") -> str:
        done = subprocess.run(
            [*self._argv, *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert not done.returncode, done.stderr
        return done.stdout
