"""A copy of a request for endpoints that are tried out: nobody waits for its answer."""

from typing_extensions import override

from gateway.data.call import Call, Client, Context
from gateway.data.exchange import Exchange
from gateway.data.request import Request
from gateway.policy.answers import Answer
from gateway.policy.attempts import Rules
from gateway.policy.budget import RetryBudget
from gateway.snapshot import Shadow

PREFIX = "shadow:"
"""Before a model's name in metrics: copies are no requests of clients."""
AT_ONCE = 100
"""Copies under way in a worker; more are left out, since they are to cost nobody anything."""


class Shadows:
    """Those of one worker."""

    def __init__(self, context: Context) -> None:
        self._context = context
        rules = context.rules
        self._rules = Rules(rules.chance, attempts=1, budget=RetryBudget(), serial=rules.serial)
        self.under_way = 0

    def cast(self, call: Call, shadow: Shadow) -> None:
        """Copy a request, if it is among the share."""
        drawn = self._context.rules.chance() * 100 < shadow.percent
        if not drawn or self.under_way >= AT_ONCE:
            return
        label = f"{PREFIX}{call.label}"
        copy = Call(call.request, call.service, label, call.wanted, call.model, call.span)
        copy.targets, copy.rules = frozenset(shadow.endpoints), self._rules
        self.under_way += 1
        Exchange(self._context, Nobody(self), copy).start()

    def ended(self) -> None:
        self.under_way -= 1


class Nobody(Client):
    """Reads an answer and drops it."""

    def __init__(self, shadows: Shadows) -> None:
        self._shadows = shadows

    @override
    def write(self, data: bytes) -> None: ...

    @override
    def answer(self, answer: Answer) -> None:
        self._shadows.ended()

    @override
    def keeps(self, request: Request) -> bool:
        return True

    @override
    def done(self, *, keep: bool) -> None:
        self._shadows.ended()

    @override
    def abort(self) -> None:
        self._shadows.ended()
