"""`python -m cli.local.engine serve MODEL`: an engine in vLLM's place, for a fleet without GPUs."""

import logging
import os
import sys

import uvloop

from cli.local.engine import logs, settings
from cli.local.engine.app import run
from cli.local.engine.commandline import UsageError, parse

log = logging.getLogger("cli.local.engine")


def main() -> int:
    logs.configure(container=os.environ.get("LOCAL_ENGINE_LOG") == "container")
    try:
        options, how = parse(sys.argv[1:]), settings.read(os.environ)
        uvloop.run(run(options, how))
    except (UsageError, ValueError) as error:
        log.error("%s", error)  # noqa: TRY400 - a user's mistake, told without a trace
        return 2
    except OSError as error:
        log.error("cannot listen: %s", error)  # noqa: TRY400
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
