"""`python -m hub`: read the settings once, set up the log, run."""

import asyncio
import os
import sys

from fleet.kube.errors import KubeError
from fleet.runtime import logs
from fleet.runtime.settings import SettingsError
from hub.app import run
from hub.settings import settings


def main() -> None:
    try:
        given = settings(sys.argv[1:], os.environ)
        logs.configure(given.log_level)
        asyncio.run(run(given, os.environ))
    except (SettingsError, KubeError) as error:
        raise SystemExit(f"hub: {error}") from error


if __name__ == "__main__":
    main()
