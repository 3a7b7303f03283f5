"""Where a tool is that a command runs: the user's own, else the local fleets'."""

import shutil
from collections.abc import Mapping

from cli.local.binaries import cache_folder


class NoProgramError(Exception):
    """A tool is not there; the text says how to get it."""


def program(name: str, environ: Mapping[str, str]) -> str:
    """Find a tool by its name; NoProgramError where it is nowhere."""
    own = cache_folder(environ) / "binaries" / "current"
    for path in (environ.get("PATH"), str(own)):
        if found := shutil.which(name, path=path):
            return found
    raise NoProgramError(f"{name} is not on PATH: install it, or run `modelfleet local binaries`")
