"""One request's tries: where it has been, and where it may go next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from gateway.policy.budget import RetryBudget
from gateway.policy.endpoint import EndpointState, Failure
from gateway.policy.pick import pick


@dataclass(frozen=True, slots=True)
class Rules:
    """What all requests of a worker share."""

    chance: Callable[[], float]
    attempts: int = 3
    budget: RetryBudget = field(default_factory=RetryBudget)
    serial: "count[int]" = field(default_factory=lambda: count(1))


class Attempts:
    """An endpoint is reserved when it is picked: counted later, all would pick the same one."""

    __slots__ = ("_rules", "_tokens", "current", "tried")

    def __init__(self, rules: Rules, tokens: int = 1) -> None:
        """`tokens`: what the request is expected to take up where it is."""
        self._rules, self._tokens = rules, tokens
        self.tried: tuple[EndpointState, ...] = ()
        self.current: EndpointState | None = None

    def next(self, states: Sequence[EndpointState], now: float) -> EndpointState | None:
        """Reserve the endpoint to ask next; None when the request has to be given up."""
        rules, made = self._rules, len(self.tried)
        if made >= rules.attempts:
            return None
        state = pick(states, self.tried, now, rules.chance, self._tokens)
        if state is None or (made and not rules.budget.spend(now)):
            return None
        if not made:
            rules.budget.request()
        state.in_flight += 1
        state.tokens += self._tokens
        state.picked = next(rules.serial)
        self.tried = (*self.tried, state)
        self.current = state
        return state

    def second(self, states: Sequence[EndpointState], now: float) -> EndpointState | None:
        """Reserve another endpoint beside the one that is asked."""
        first = self.current
        state = self.next(states, now) if first else None
        self.current = first
        return state

    def give(self, state: EndpointState) -> None:
        """Go on with one that is reserved already, in the place of the current one, if any."""
        self._release()
        self.current = state
        self._last(state)

    def give_back(self, state: EndpointState) -> None:
        """Do without one that was reserved beside."""
        state.in_flight -= 1
        state.tokens -= self._tokens
        if self.current:
            self._last(self.current)

    def second_failed(
        self, state: EndpointState, failure: Failure, now: float, retry_after: float = 0.0
    ) -> None:
        """Do without one that was reserved beside, and failed."""
        self.give_back(state)
        state.failed(failure, now, retry_after, self._tokens)

    def another(self, states: Sequence[EndpointState], now: float) -> bool:
        """Tell whether giving up the current try would lead anywhere."""
        rules = self._rules
        possible = len(self.tried) < rules.attempts and rules.budget.affords(now)
        return possible and pick(states, self.tried, now, rules.chance, self._tokens) is not None

    def quicker(self, states: Sequence[EndpointState], now: float) -> bool:
        """Tell whether somebody is there who does not keep others waiting as well."""
        in_time = [state for state in states if not state.late]
        return pick(in_time, self.tried, now, self._rules.chance) is not None

    def crowded(self, states: Sequence[EndpointState], now: float) -> bool:
        """Tell whether somebody could be asked who only has no place just now."""
        if len(self.tried) >= self._rules.attempts:
            return False
        return any(state.full and state.usable(now) and state not in self.tried for state in states)

    def overdue(self) -> None:
        """Note that the endpoint keeps somebody waiting beyond the limit."""
        if state := self.current:
            state.late = True

    def began(self, now: float, *, in_time: bool) -> None:
        if state := self.current:
            state.began(now, in_time=in_time)

    def answered(self, now: float) -> None:
        if state := self._release():
            state.answered(now)

    def failed(self, failure: Failure, now: float, retry_after: float = 0.0) -> None:
        if state := self._release():
            state.failed(failure, now, retry_after, self._tokens)

    def cancelled(self) -> None:
        """Give back what was reserved: the client is gone, which says nothing of the endpoint."""
        self._release()

    def _last(self, state: EndpointState) -> None:
        """Put the one that answers behind the others that were tried."""
        self.tried = (*(other for other in self.tried if other is not state), state)

    def _release(self) -> EndpointState | None:
        state, self.current = self.current, None
        if state:
            state.in_flight -= 1
            state.tokens -= self._tokens
        return state
