"""Say that an API server's storage is full: once, however many writes it refuses."""

import logging
import math
from collections.abc import Callable

from fleet.kube.errors import KubeError, StorageFullError, reason
from fleet.runtime import clock

REMIND_SECONDS = 60.0
"""Without such a refusal, after which the next one is news: some writes pass a full etcd."""
log = logging.getLogger(__name__)


class Storage:
    def __init__(self, server: str, elapsed: Callable[[], float] = clock.elapsed) -> None:
        self._server, self._elapsed = server, elapsed
        self._refused = -math.inf

    def hear(self, error: KubeError) -> None:
        """Take note of why a request was refused."""
        if not isinstance(error, StorageFullError):
            return
        before, self._refused = self._refused, self._elapsed()
        if self._refused >= before + REMIND_SECONDS:
            fields = {"server": self._server} | reason(error)
            log.warning("the API server can store nothing more", extra=fields)
