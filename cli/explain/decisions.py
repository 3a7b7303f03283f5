"""Ask the engine: the same function that the hub asks, over a fleet from a file or from the hub."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cli.explain.answers import Answer, answer
from cli.explain.manifests import ExplainError, Manifest
from cli.explain.questions import Question
from fleet.api.cluster import MemberCluster
from fleet.catalog.catalogue import Catalogue
from fleet.engine.ask import Ask
from fleet.engine.decide import decide
from fleet.engine.fleet import Fleet
from fleet.engine.ledger import Ledger
from fleet.engine.rules import rules_of
from fleet.runtime import clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleetwide:
    """The clusters, and what is promised on them, at one time."""

    fleet: Fleet
    ledger: Ledger
    now: datetime
    silent_seconds: Mapping[str, float] = field(default_factory=dict)


def of_manifests(manifests: Iterable[Manifest], catalogue: Catalogue, *, file: str) -> Fleetwide:
    """Take a fleet as a file has it, as of its last heartbeat: nobody in it is silent."""
    found = [m.parse(MemberCluster) for m in manifests if m.is_a(MemberCluster)]
    if not found:
        raise ExplainError(f"{file}: there is no MemberCluster in it")
    return of_members(found, catalogue, now=_last_heartbeat(found))


def of_members(
    members: Iterable[MemberCluster], catalogue: Catalogue, *, now: datetime
) -> Fleetwide:
    fleet = Fleet(catalogue, members)
    return Fleetwide(fleet=fleet, ledger=Ledger(fleet), now=now)


def _last_heartbeat(members: Iterable[MemberCluster]) -> datetime:
    beats = [member.heartbeat for member in members if member.heartbeat is not None]
    return max(beats, default=None) or clock.now()


def decided(questions: Sequence[Question], world: Fleetwide) -> list[Answer]:
    """Answer one after the other; what one takes is not there for the next."""
    answers = []
    for question in questions:
        who = question.who or question.title
        decision = decide(_ask(question, world), world.fleet, world.ledger.pending(without=who))
        taken = {choice.cluster: choice.allocations for choice in decision.chosen}
        world.ledger.decided(who, taken)
        answers.append(answer(question, decision, world.fleet))
    return answers


def _ask(question: Question, world: Fleetwide) -> Ask:
    return Ask(
        rules=rules_of(question.policy),
        now=world.now,
        limit=question.limit,
        demands=question.demands,
        namespace=question.namespace,
        holdings=question.holdings,
        silent_seconds=world.silent_seconds,
    )
