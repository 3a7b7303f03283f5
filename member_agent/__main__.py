"""`python -m member_agent`: read the settings once, set up the log, run."""

import asyncio
import os
import sys

from fleet.kube.errors import KubeError
from fleet.runtime import logs
from fleet.runtime.settings import SettingsError
from member_agent.app import run
from member_agent.settings import settings


def main() -> None:
    try:
        given = settings(sys.argv[1:], os.environ)
        logs.configure(given.log_level)
        asyncio.run(run(given, os.environ))
    except (SettingsError, KubeError) as error:
        raise SystemExit(f"member_agent: {error}") from error


if __name__ == "__main__":
    main()
