"""The secret between global and regional gateways: two are valid at a time. Pure.

The global gateway sends the first line, a regional one accepts every line. So that no request is
refused, however slow a member is or however long it is away:

1. at the end of its life the secret gets a successor, as the second line: from then on receivers
   accept both, and nobody sends the new one;
2. only when every member that ever got a secret says that it has applied the new text, and the
   overlap has passed since (a kubelet shows a new Secret in its mounts within some two minutes),
   the two lines change places: senders turn to the new one, at their own pace, for receivers go
   on to accept the old one as well;
3. the old one leaves at the next rotation, when its successor's successor takes its line: a
   sender that missed the turn has a whole life of a secret to catch up.

A member that is away holds up step 2 for as long as it belongs to the fleet: it may serve while
its agent is silent, and would refuse what it has not heard of. Nothing else waits for it; whoever
is waited for after the overlap is told of. A member that leaves is not waited for.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from hub.certificates import Maker
from hub.controllers.gateway_credentials.plan.authorities import Rules


@dataclass(frozen=True, slots=True)
class Credential:
    lines: tuple[str, ...] = field(repr=False)
    rotated: datetime
    """When the first line came to be the one that is sent."""
    announced: datetime | None = None
    """When the successor became the second line; None where that is the predecessor."""
    received: datetime | None = None
    """When every member was seen to accept the successor."""

    @property
    def text(self) -> str:
        """As the sender reads it: the first one is sent."""
        return _written(self.lines)

    @property
    def accepted(self) -> str:
        """As receivers read it: the same while two lines change places."""
        return _written(tuple(sorted(self.lines)))


def turned(
    there: Credential | None, now: datetime, rules: Rules, maker: Maker, *, all_accept: bool
) -> Credential:
    """Go one step on where it is time."""
    if there is None or not there.lines:
        return Credential((maker.secret(),), rotated=now)
    if there.announced is None:
        if now < there.rotated + rules.credential:
            return there
        return Credential((there.lines[0], maker.secret()), there.rotated, announced=now)
    return _received(there, now, rules) if all_accept else replace(there, received=None)


def _received(there: Credential, now: datetime, rules: Rules) -> Credential:
    if there.received is None:
        return replace(there, received=now)
    if now < there.received + rules.overlap:
        return there
    return Credential((there.lines[1], there.lines[0]), rotated=now)


def due(there: Credential, rules: Rules) -> datetime | None:
    """Tell when time alone changes it, or who is told to keep it waiting."""
    if there.announced is None:
        return there.rotated + rules.credential
    return (there.received or there.announced) + rules.overlap


def overdue(there: Credential | None, now: datetime, rules: Rules) -> bool:
    """Whether members have not accepted the successor for longer than it takes to show it."""
    return (
        there is not None
        and there.announced is not None
        and there.received is None
        and now >= there.announced + rules.overlap
    )


def _written(lines: tuple[str, ...]) -> str:
    return "".join(f"{line}\n" for line in lines)
