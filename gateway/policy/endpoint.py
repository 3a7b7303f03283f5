"""What a worker knows of one endpoint: its load, its failures, and until when it is left alone."""

import math
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

from gateway.load import Load
from gateway.snapshot import Endpoint


class Failure(StrEnum):
    REFUSED = "refused"
    """No connection: nobody is there."""
    UNTRUSTED = "untrusted"
    """Its certificate is no one's that we trust, or another host's: it was told nothing."""
    RESET = "reset"
    """The connection broke before the answer's first byte."""
    BUSY = "busy"
    """It said so: 429, 502, 503 or 504."""
    SLOW = "slow"
    """No first byte in time."""
    CUT = "cut"
    """The connection broke within an answer."""
    SPENT = "spent"
    """We have no more connections to open: nothing is known of the endpoint."""
    ERROR = "error"
    """500: it works badly, or the request was bad. No reason to send nobody there."""


@dataclass(frozen=True, slots=True)
class Ejection:
    """When an endpoint is left alone, and for how many seconds; they double up to a limit."""

    failures: int = 3
    """In a row; one of them alone may be chance."""
    seconds: float = 5.0
    max_seconds: float = 60.0
    refused_seconds: float = 1.0
    """Nobody there: a probe tells earlier when somebody is."""
    refused_max_seconds: float = 10.0


SLOW_START_SECONDS = 10.0
"""In which one that is new or back gets its share of work step by step: its caches are cold."""
FIRST_SHARE = 0.1
TRIAL = 1e12
"""Load of one that failed and is being tried again by one request: others go there last."""
PENALTY_HALF_LIFE = 10.0
"""Seconds. An endpoint that fails fast looks idle: what failed weighs as if it were under way."""
TYPICAL = 512.0
"""Tokens of a request, as far as there was none."""
TYPICAL_SHARE = 1 / 8
"""Of the requests in flight, each time that others' are told, in what is typical."""
FORGOTTEN = 0.1
"""Tokens."""
BLAMELESS = (Failure.ERROR, Failure.SPENT)
"""No reason to leave an endpoint alone."""
BY_PROBE = (Failure.REFUSED, Failure.UNTRUSTED, Failure.RESET)
"""What a probe can refute. An engine that refuses work may well answer a probe."""


def places(all_: int, workers: int) -> float:
    """Share an endpoint's places among workers, none of which goes without."""
    return math.ceil(all_ / workers) if all_ else math.inf


class EndpointState:
    """Mutable, one for each endpoint and worker; kept when the snapshot changes around it."""

    __slots__ = (
        "_burden",
        "_ejection",
        "_ejections",
        "_failures",
        "_lost_at",
        "_penalty",
        "_penalty_at",
        "_told_until",
        "_warm_at",
        "ejected_until",
        "endpoint",
        "in_flight",
        "last",
        "late",
        "marks",
        "on_trial",
        "picked",
        "places",
        "point",
        "quiet",
        "ready",
        "replicas",
        "tokens",
        "typical",
        "up",
        "work",
    )

    def __init__(self, endpoint: Endpoint, ejection: Ejection, workers: int = 1) -> None:
        self._take(endpoint, workers)
        self.in_flight = self.tokens = 0
        """Requests, and what they take up, as it was expected when each was picked."""
        self.typical = TYPICAL
        """Tokens of a request here, which others' weigh that are told by their number."""
        self.replicas = 1
        """That share the work there, as it said last."""
        self.told(None)
        self.point = int.from_bytes(blake2b(endpoint.name.encode(), digest_size=8).digest())
        """Where it stands among others when requests that are alike go to the same one."""
        self.picked = 0
        """Serial number of its last pick: of equals the one that waited longest is next."""
        self.up: bool | None = None
        """What our own probe found; None before the first."""
        self.ejected_until = 0.0
        self._ejection = ejection
        self._ejections = self._failures = 0
        self._penalty = self._penalty_at = self._lost_at = 0.0
        self.on_trial = False
        """It was ejected, and has not answered since."""
        self.last: Failure | None = None
        self.late = False
        """It keeps somebody waiting beyond the limit, or did the last time that it answered."""
        self._warm_at = self._told_until = 0.0
        """When its slow start ends, and when what a probe cannot refute does."""

    def usable(self, now: float) -> bool:
        """Tell whether it may be picked: not said to be unready, not found down, not ejected."""
        return now >= self.ejected_until and self.up is not False and self.ready

    @property
    def weight(self) -> int:
        return self.endpoint.weight

    @property
    def full(self) -> bool:
        return self.in_flight >= self.places

    def load(self, now: float, tokens: float = 0.0) -> float:
        """Tokens of requests in flight, and of those that failed and are not forgotten yet, for
        each of its replicas and with what others do there; more while it starts, for one that
        has `tokens` more."""
        load = float(self.tokens)
        if self._penalty:
            load += self._decayed(now)
        if self._burden:
            load = self._burden.weighed(load, self.typical)
        if self.on_trial and self.in_flight:
            return load + TRIAL
        if now < self._warm_at:
            self.quiet = False
            share = 1 - (self._warm_at - now) / SLOW_START_SECONDS
            return (load + tokens) / max(share, FIRST_SHARE) - tokens
        self.quiet = not (self._penalty or self.on_trial or self._burden) and self.usable(now)
        return load

    def starts(self, now: float) -> None:
        """Begin a slow start."""
        self._warm_at, self.quiet = now + SLOW_START_SECONDS, False

    def lets_in(self, *, at_hand: bool) -> None:
        """Note whether its credential is at hand."""
        self.ready = at_hand and self.endpoint.ready is not False
        self.quiet = False

    def becomes(self, endpoint: Endpoint, now: float, workers: int) -> None:
        """Take in what a new snapshot says."""
        if self.endpoint.ready is False and endpoint.ready is not False:
            self.starts(now)
        self._take(endpoint, workers)

    def answered(self, now: float) -> None:
        """Take an answer as proof that it works."""
        self._failures = self._ejections = 0
        if self.on_trial:
            self._passed(now)

    def began(self, now: float, *, in_time: bool) -> None:
        """Take the first of an answer as a sign of its speed."""
        self.late = not in_time
        if in_time and self.on_trial:
            self._passed(now)

    def failed(
        self, failure: Failure, now: float, retry_after: float = 0.0, tokens: float = TYPICAL
    ) -> None:
        """Take in that a request failed which was expected to take `tokens`."""
        self._penalty, self._penalty_at, self.quiet = self._decayed(now) + tokens, now, False
        self._failures += failure not in BLAMELESS
        self.last = failure
        seconds = self._sentence(failure, retry_after)
        if seconds:
            self._ejections += 1
            self.on_trial = True
            self.ejected_until = max(self.ejected_until, now + seconds)
            if failure in BY_PROBE:
                self._lost_at = now
            else:
                self._told_until = max(self._told_until, now + seconds)

    def probed(self, *, up: bool, started: float) -> None:
        """Believe a probe; one that began after the failure ends an ejection it refutes."""
        if up and self.up is False:
            self.starts(started)
        self.up, self.quiet = up, self.quiet and up
        if up and started > self._lost_at:
            self.ejected_until = self._told_until

    def told(self, load: Load | None) -> None:
        """Take in what it says of its work; None where it said nothing."""
        self.work = load
        if load and load.ready:
            self.replicas = load.ready
        if self.in_flight:
            self.typical += (self.tokens / self.in_flight - self.typical) * TYPICAL_SHARE
        beside = load.beside(self.in_flight) if load else Load(self.replicas)
        self._burden = None if beside.idle else beside
        """What it says beside what we know, where that is more than one replica without work."""
        self.quiet = self.quiet and self._burden is None

    def _take(self, endpoint: Endpoint, workers: int) -> None:
        self.endpoint = endpoint
        self.quiet = False
        """Nothing is held against it: what it has in flight is all its load."""
        region, name = endpoint.region.encode(), endpoint.name.encode()
        self.marks = b"x-modelfleet-region: %b\r\nx-modelfleet-upstream: %b\r\n" % (region, name)
        """Says in the head of an answer where that came from."""
        self.places = places(endpoint.places, workers)
        """Requests that it may have at a time from this worker."""
        self.ready = endpoint.ready is not False
        """Whether Kubernetes says nothing against it, and its credential is at hand."""

    def _passed(self, now: float) -> None:
        """End a trial by a slow start."""
        self.on_trial = False
        self.starts(now)

    def _sentence(self, failure: Failure, retry_after: float) -> float:
        rules = self._ejection
        factor = 2.0 ** min(self._ejections, 10)
        if retry_after:
            return min(retry_after, rules.max_seconds)
        if failure in (Failure.REFUSED, Failure.UNTRUSTED):
            return min(rules.refused_seconds * factor, rules.refused_max_seconds)
        in_a_row = failure not in BLAMELESS and self._failures >= rules.failures
        if failure is Failure.SLOW or in_a_row:
            return min(rules.seconds * factor, rules.max_seconds)
        return 0.0

    def _decayed(self, now: float) -> float:
        if not self._penalty:
            return 0.0
        left: float = self._penalty * 0.5 ** ((now - self._penalty_at) / PENALTY_HALF_LIFE)
        if left > FORGOTTEN:
            return left
        self._penalty = 0.0
        return 0.0
