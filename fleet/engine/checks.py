"""What every filter says of a cluster, not only the first that rejects it."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from fleet.engine.field import Field
from fleet.engine.filters import AFFINITY, Filter, filters
from fleet.engine.rows import Row
from fleet.engine.verdicts import Rejected, Verdict
from fleet.engine.wishes import unmatched

FIT: Final = "gpu-fit"
SPREAD: Final = "topology-spread"


class Check(NamedTuple):
    filter: str
    passes: bool | None
    """None where it was not asked, since another filter rejects the cluster."""
    reason: str = ""
    """Why it does not pass."""


def checks(field: Field, verdict: Verdict) -> tuple[Check, ...]:
    """Give all checks in their order; none of a cluster that is no member any more."""
    if field.fleet.row(verdict.cluster) is None:
        return ()
    found = tuple(_checks(field, verdict.cluster))
    if not field.ask.rules.even:
        return found
    return *found, _spread(verdict, asked=all(check.passes for check in found))


def _checks(field: Field, cluster: str) -> Iterator[Check]:
    line, row = field.fleet.order[cluster], field.fleet.row(cluster)
    rejected = {screen.name: flags for screen, flags in field.screens}
    for each in filters(field.ask):
        flags = rejected.get(each.name)
        if row and flags is not None and flags[line]:
            yield Check(each.name, False, _why(each, field, row))
        else:
            yield Check(each.name, True)
    if field.appraisal:
        fits = bool(field.appraisal.found[line])
        yield Check(FIT, fits, "" if fits else field.appraisal.why_not(line))


def _why(each: Filter, field: Field, row: Row) -> str:
    """Say more than a status, which is not to change with every heartbeat."""
    reason = each.reason(field.ask, row)
    if each is not AFFINITY:
        return reason
    return f"{reason}: {unmatched(field.ask.rules.required, row)}"


def _spread(verdict: Verdict, *, asked: bool) -> Check:
    """Take it from the verdict: the balance depends on what was taken before."""
    if isinstance(verdict, Rejected) and verdict.by == SPREAD:
        return Check(SPREAD, False, verdict.reason)
    return Check(SPREAD, True if asked else None)
