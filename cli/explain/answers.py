"""A decision as rows, for a table or for a program; all of it comes from the engine."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cli.explain.questions import Question
from fleet.api.binding import Allocation
from fleet.engine.decide import Decision
from fleet.engine.fleet import Fleet
from fleet.engine.verdicts import Rejected, Verdict


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
    reason: str

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


def answer(question: Question, decision: Decision, fleet: Fleet) -> Answer:
    rows = [_row(choice, fleet, chosen=True) for choice in decision.chosen]
    rows += [_row(verdict, fleet, chosen=False) for verdict in decision.others()]
    return Answer(question=question, rows=tuple(rows), lacking="; ".join(_lacking(decision)))


def _row(verdict: Verdict, fleet: Fleet, *, chosen: bool) -> Row:
    row = fleet.row(verdict.cluster)
    region = row.region if row else ""
    if isinstance(verdict, Rejected):
        return Row(
            cluster=verdict.cluster,
            region=region,
            rejected_by=verdict.by,
            parts={},
            reason=verdict.reason,
        )
    score = verdict.score
    spread = {"topology": score.topology, "affinity": score.affinity} if score else {}
    shown = {name: points for name, points in spread.items() if points}
    return Row(
        cluster=verdict.cluster,
        region=region,
        chosen=chosen,
        allocations=verdict.allocations,
        points=score.points if score and score.parts else None,
        parts={**shown, **(score.parts if score else {})},
        reason=_in_use(verdict.kept, chosen=chosen),
    )


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
        "allocations": [given.dump() for given in row.allocations],
    }
