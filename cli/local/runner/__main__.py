"""`python -m cli.local.runner`: the nodes of one member, as far as inference pods are concerned."""

import asyncio
import os
import sys

from cli.local.runner.app import run
from cli.local.runner.settings import SettingError, Settings, read
from fleet.kube.client import ApiClient
from fleet.kube.config import from_environment
from fleet.runtime import logs


def main() -> None:
    try:
        settings = read(os.environ)
    except SettingError as error:
        sys.exit(str(error))
    logs.configure(settings.log_level)
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    await run(settings, ApiClient(from_environment(os.environ), "node-runner"))


if __name__ == "__main__":
    main()
