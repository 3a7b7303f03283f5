"""The time as an API server has it: all that it dates is compared with that, and not with ours."""

import logging
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from fleet.runtime.clock import Clock

TOLERATED: Final = timedelta(seconds=5)
"""Between two clocks: an answer is dated to the second, and takes a while to come."""
log = logging.getLogger(__name__)


class ServerTime:
    """Our clock, put right by what one server's answers are dated."""

    def __init__(self, server: str, clock: Clock) -> None:
        self._server, self._clock = server, clock
        self._ahead, self._last = timedelta(), ""

    def now(self) -> datetime:
        return self._clock() + self._ahead

    def heard(self, date: str) -> None:
        """Take in the Date of an answer that has just come; nonsense is as good as nothing."""
        if date == self._last:
            return
        self._last = date
        try:
            told = parsedate_to_datetime(date).astimezone(UTC)
        except ValueError:
            return
        if abs(told - self.now()) >= TOLERATED:
            self._differ(told - self._clock())

    def _differ(self, ahead: timedelta) -> None:
        self._ahead = ahead if abs(ahead) >= TOLERATED else timedelta()
        fields = {"server": self._server, "ahead_seconds": self._ahead.total_seconds()}
        log.warning(_said(self._ahead), extra=fields)


def _said(ahead: timedelta) -> str:
    if not ahead:
        return "our clock agrees with the API server's again"
    return "our clock and the API server's differ, and we go by the server's; set the clocks right"
