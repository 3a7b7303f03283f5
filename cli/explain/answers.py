"""A decision as rows, for a table or for a program; all of it comes from the engine."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from cli.explain.questions import Question
from fleet.api.binding import Allocation
from fleet.engine.checks import Check, checks
from fleet.engine.comparison import Advantage, advantage
from fleet.engine.decide import Decision
from fleet.engine.fleet import Fleet
from fleet.engine.verdicts import Rejected, Score, Verdict
from fleet.engine.wishes import Earned, earned

WHY: Final = ("winner", "runnerUp", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    cluster: str
    region: str
    chosen: bool = False
    rejected_by: str = ""
    allocations: tuple[Allocation, ...] = ()
    points: int | None = None
    """None where nothing is compared."""
    parts: Mapping[str, int]
    """Points by name: what a user said, then the inference score; all that are compared."""
    reason: str
    checks: tuple[Check, ...] = ()
    """What each filter says."""
    wishes: tuple[Earned, ...] = ()
    """What the affinity is made of."""

    @property
    def refusals(self) -> str:
        """What all filters say that refuse the cluster."""
        refused = [check for check in self.checks if check.passes is False]
        return "; ".join(f"{check.filter}: {check.reason}" for check in refused)

    @property
    def usd_per_hour(self) -> Decimal | None:
        if not self.allocations:
            return None
        return sum((given.usd_per_hour for given in self.allocations), Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    question: Question
    rows: tuple[Row, ...]
    lacking: str = ""
    """What the policy asks for and does not get."""
    leaving: Mapping[str, str] = field(default_factory=dict)
    """Clusters in use that are let go, with the reason."""
    why: Advantage | None = None
    """Why the best of those that were not chosen was not."""


def answer(question: Question, decision: Decision, fleet: Fleet) -> Answer:
    rows = [_row(choice, decision, fleet, chosen=True) for choice in decision.chosen]
    rows += [_row(verdict, decision, fleet, chosen=False) for verdict in decision.others()]
    return Answer(
        question=question,
        rows=tuple(rows),
        lacking="; ".join(_lacking(decision)),
        leaving={name: str(cause) for name, cause in sorted(decision.leaving.items())},
        why=advantage(decision),
    )


def _row(verdict: Verdict, decision: Decision, fleet: Fleet, *, chosen: bool) -> Row:
    row, asked = fleet.row(verdict.cluster), checks(decision.field, verdict)
    region = row.region if row else ""
    if isinstance(verdict, Rejected):
        return Row(
            cluster=verdict.cluster,
            region=region,
            rejected_by=verdict.by,
            parts={},
            reason=verdict.reason,
            checks=asked,
        )
    score = verdict.score
    return Row(
        cluster=verdict.cluster,
        region=region,
        chosen=chosen,
        allocations=verdict.allocations,
        points=score.points if score and score.parts else None,
        parts=_parts(score) if score else {},
        reason=_in_use(verdict.kept, chosen=chosen),
        checks=asked,
        wishes=earned(decision.field, verdict.cluster),
    )


def _parts(score: Score) -> Mapping[str, int]:
    return {"topology": score.topology, "affinity": score.affinity, **score.parts}


def _in_use(kept: bool, *, chosen: bool) -> str:
    if kept:
        return "in use, stays"
    return "chosen" if chosen else "would do"


def _lacking(decision: Decision) -> Iterator[str]:
    if decision.short_by:
        yield f"clusters that are lacking: {decision.short_by}"
    if decision.unplaced:
        yield f"replicas without room: {decision.unplaced}"
    if decision.absent:
        yield f"cannot be taken: {', '.join(decision.absent)}"


def as_data(answers: Iterable[Answer]) -> dict[str, Any]:
    """Give what `-o json` and `-o yaml` print."""
    return {"placements": [_answer_data(answer) for answer in answers]}


def _answer_data(answer: Answer) -> dict[str, Any]:
    return {
        "placement": answer.question.title,
        "fulfilled": not answer.lacking,
        "message": answer.lacking,
        "leaving": dict(answer.leaving),
        "why": answer.why and dict(zip(WHY, answer.why, strict=True)),
        "demands": [demand.dump() for demand in answer.question.demands],
        "clusters": [_row_data(row) for row in answer.rows],
    }


def _row_data(row: Row) -> dict[str, Any]:
    usd = row.usd_per_hour
    return {
        "cluster": row.cluster,
        "region": row.region,
        "chosen": row.chosen,
        "rejectedBy": row.rejected_by or None,
        "reason": row.reason,
        "usdPerHour": None if usd is None else str(usd),
        "score": row.points,
        "parts": dict(row.parts),
        "preferences": [
            {"term": each.wish, "points": each.points, "weight": each.weight} for each in row.wishes
        ],
        "filters": [
            {"name": check.filter, "passes": check.passes, "reason": check.reason or None}
            for check in row.checks
        ],
        "allocations": [given.dump() for given in row.allocations],
    }
