"""Lines as a container runtime writes them, so that what reads a pod's log can read ours."""

import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType

from typing_extensions import override


class ContainerFormatter(logging.Formatter):
    """Writes `<time> stdout F <text>`, a line for each line of the text."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        text = f"{record.levelname} {super().format(record)}"
        return "\n".join(f"{when} stdout F {line}" for line in text.splitlines())


def configure(*, container: bool) -> None:
    """Log to standard output; `container` says that nobody adds the time to our lines."""
    handler = logging.StreamHandler(sys.stdout)
    plain = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(ContainerFormatter() if container else plain)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    sys.excepthook = _log_uncaught


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    logging.getLogger(__name__).critical(
        "the engine failed\n%s", "".join(traceback.format_exception(kind, error, trace))
    )
