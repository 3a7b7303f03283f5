"""The lines of a worker: a request waits in its service's until an endpoint has a place for it."""

from typing import Protocol

from gateway.policy.line import Line, Priority


class Waiter(Protocol):
    def admitted(self) -> bool:
        """Go on, if there is a place by now; tells whether there was."""

    def crowded_out(self) -> None:
        """Give up: others go before it."""


class Lines:
    def __init__(self) -> None:
        self.by_service: dict[str, Line[Waiter]] = {}
        """Only those in which somebody waits."""

    def waiting(self, service: str) -> int:
        line = self.by_service.get(service)
        return len(line) if line else 0

    def join(self, service: str, waiter: Waiter, priority: Priority, length: int) -> None:
        """Let a request wait; whoever is too many, be it this one, is told."""
        line = self.by_service.setdefault(service, Line())
        if out := line.join(waiter, priority, length):
            self._tidy(service)
            out.crowded_out()

    def leave(self, service: str, waiter: Waiter) -> None:
        if line := self.by_service.get(service):
            line.leave(waiter)
            self._tidy(service)

    def advance(self, service: str) -> None:
        """Let those go on, in their order, for whom there is a place."""
        while (line := self.by_service.get(service)) and (first := line.first):
            if not first.admitted():
                return
            self.leave(service, first)

    def advance_all(self) -> None:
        for service in tuple(self.by_service):
            self.advance(service)

    def _tidy(self, service: str) -> None:
        if not self.by_service[service]:
            del self.by_service[service]
