"""A process that has read the programs' modules, and forks one off at once where it is told to."""

import gc
import json
import os
import signal
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

MODULES = ("hub.__main__", "member_agent.__main__", "fleet.kube.operator")


def main() -> None:
    """Read a line of JSON for each program: `module`, `log`, `environ`; write its pid."""
    for module in MODULES:
        import_module(module)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    children = list[int]()
    for line in sys.stdin:
        wanted = json.loads(line)
        child = os.fork()
        if not child:
            _become(wanted["module"], wanted["log"], wanted["environ"])
        children.append(child)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
    for child in children:
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _become(module: str, log: str, environ: Mapping[str, str]) -> None:
    """Be `python -m <module>`, with what is said in a file; does not return."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.update(environ)
    with Path(log).open("ab", buffering=0) as file, Path(os.devnull).open("rb") as nothing:
        for ours in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), ours.fileno())
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    sys.argv = [module]
    status = 1
    try:
        import_module(f"{module}.__main__").main()
        status = 0
    except SystemExit as end:
        sys.stderr.write(f"{end}\n")
    except BaseException as error:  # noqa: BLE001
        sys.stderr.write(f"{error!r}\n")
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
