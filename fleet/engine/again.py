"""When the passing of time alone may change a decision."""

from collections.abc import Iterator
from typing import Final

from fleet.engine.decide import Decision
from fleet.engine.silence import least

MOMENT_SECONDS: Final = 0.5
"""For what is due already: whoever counts the heartbeats looks so often."""


def seconds_until_change(decision: Decision) -> float | None:
    return min((*_silences(decision), *_sold_out(decision)), default=None)


def _silences(decision: Decision) -> Iterator[float]:
    """A silent member in use may be silent for too long."""
    ask, fleet = decision.field.ask, decision.field.fleet
    if ask.toleration_seconds is None:
        return
    for holding in ask.in_use:
        seconds = ask.silent_seconds.get(holding.cluster)
        if seconds is not None:
            limit = max(ask.toleration_seconds, least(fleet, holding.cluster))
            if seconds < limit:
                yield limit - seconds
    if decision.held_back:
        # Whoever is only late now is silent then, or was heard, of which nobody is told.
        late = ask.overdue_seconds.items()
        yield from (max(least(fleet, name) - s, MOMENT_SECONDS) for name, s in late)


def _sold_out(decision: Decision) -> Iterator[float]:
    """What is sold out may be sold again, for a placement that lacks something."""
    ask, until = decision.field.ask, decision.field.fleet.stocks.sold_out_until
    if decision.settled or ask.scoring is None:
        return
    now = int(ask.now.timestamp())
    waits = until[until > now]
    if waits.size:
        yield float(waits.min() - now + 1)
