"""Which request a person's word is for, and how it is given. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cli.rollout.subject import RolloutError
from fleet.api import names
from fleet.api.conditions import Condition, ConditionStatus, find
from fleet.api.staged_update import Approval, ApprovalStatus


class When(StrEnum):
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests are meant; None and empty are all of them."""

    stage: str = ""
    when: When | None = None

    def means(self, request: Approval) -> bool:
        stages = {"", request.spec.target_stage}
        return self.stage in stages and self.when in {None, when(request)}


@dataclass(frozen=True, slots=True)
class Word:
    """The request that is approved, or was so before."""

    request: Approval
    given: bool = False


def choose(requests: Iterable[Approval], wanted: Wanted, run: str) -> Word:
    """Find the one request that waits; RolloutError where none does, or several do."""
    there = sorted((r for r in requests if not r.deleting), key=lambda request: request.name)
    meant = [request for request in there if wanted.means(request)]
    waiting = [request for request in meant if not approved(request)]
    if len(waiting) > 1:
        named = "; ".join(_options(waiting))
        raise RolloutError(f"several requests of {run} wait, say which: {named}")
    if waiting:
        return Word(waiting[0])
    open_still = [request for request in meant if not _accepted(request)]
    if open_still or (meant and wanted.stage):
        return Word((open_still or meant)[-1], given=True)
    raise RolloutError(_nothing(there, wanted, run))


def _nothing(there: Sequence[Approval], wanted: Wanted, run: str) -> str:
    waiting = [request for request in there if not approved(request)]
    meant = f" of stage {wanted.stage}" if wanted.stage else ""
    if waiting:
        return f"{run} asks for no approval{meant} there, but for: {'; '.join(_options(waiting))}"
    return f"no approval{meant} is waited for: `modelfleet rollout status {run}` says what is"


def _options(requests: Iterable[Approval]) -> Iterator[str]:
    for request in requests:
        yield f"--stage {request.spec.target_stage} --{when(request)}"


def when(request: Approval) -> When:
    """Say on which side of its stage a request is."""
    before = request.metadata.labels.get(names.TASK_TYPE) == names.BEFORE_STAGE
    return When.BEFORE if before else When.AFTER


def approved(request: Approval) -> bool:
    """Say whether a word was given that the hub takes: one for the request as it is."""
    return _true(request, "Approved")


def _accepted(request: Approval) -> bool:
    return _true(request, "ApprovalAccepted")


def _true(request: Approval, kind: str) -> bool:
    said = find(request.status.conditions, kind)
    return said is not None and said.true and said.observed_generation == _generation(request)


def _generation(request: Approval) -> int:
    return request.metadata.generation


def word(request: Approval, now: datetime) -> ApprovalStatus:
    """Write the condition as KubeFleet's own command does."""
    kind = request.kind()
    condition = Condition(
        type="Approved",
        status=ConditionStatus.TRUE,
        reason=f"{kind}Approved",
        message=f"{kind} has been approved",
        observed_generation=request.metadata.generation,
        last_transition_time=now,
    )
    return ApprovalStatus(conditions=(condition,))
