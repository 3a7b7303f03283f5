"""Whether a workload's status speaks of what was applied, its ConfigMap's content too. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from fleet.api.objects import Key
from member_agent.controllers.work.plan.actions import Outcome, Seen
from member_agent.controllers.work.plan.availability import Availability, Finding

STALE: Final = Finding(
    Availability.NOT_YET, "its status does not speak of its annotations and config as they are yet"
)


def up_to_date(outcomes: Iterable[Outcome], content_of: Callable[[Key], str]) -> Iterator[Outcome]:
    """Believe of no workload that it is ready before it has seen all that was applied.

    An edited ConfigMap moves no generation of the workload that names it. What this Work has just
    written counts, and for a ConfigMap of another writer what the member has (`content_of`).
    """
    found = tuple(outcomes)
    written = {_key(each): each.seen.content for each in found if each.seen and each.seen.content}
    for outcome in found:
        seen = outcome.seen
        if seen and _stale(seen, lambda key: written.get(key) or content_of(key)):
            yield replace(outcome, seen=replace(seen, finding=STALE))
        else:
            yield outcome


def _key(outcome: Outcome) -> Key:
    return Key(outcome.part.ref.namespace, outcome.part.ref.name)


def _stale(seen: Seen, content_of: Callable[[Key], str]) -> bool:
    subject = seen.subject
    if subject is None or not subject.observed or seen.finding.availability is Availability.NOT_YET:
        return False
    made = subject.inputs
    return subject.observed != made.with_config(content_of(made.config) if made.config else "")
