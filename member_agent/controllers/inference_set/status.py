"""Report an InferenceSet as KAITO does. Pure."""

from datetime import datetime
from typing import Final

from fleet.api.conditions import Condition, ConditionStatus, find, since
from fleet.api.names import INFERENCE_SET
from fleet.api.workspace import InferenceSet, InferenceSetStatus, Workspace, WorkspaceState
from member_agent.controllers.inference_set.plan import SUCCEEDED, Observed, Plan, answers, serves

READY: Final = "InferenceSetReady"
MAX_MESSAGE: Final = 1024


def report(
    owner: InferenceSet, observed: Observed, planned: Plan, *, now: datetime
) -> InferenceSetStatus | None:
    """Count the replicas and say what the worst one lacks; None where that is said already."""
    old = owner.status
    children = [child for child in observed.children if not child.deleting]
    current = [child for child in children if child.name in planned.wanted]
    ready = [c for c in current if serves(c, observed) and c.name not in planned.written]
    condition = since(old.conditions, _condition(owner, current, len(ready), now))
    new = InferenceSetStatus(
        replicas=len(children),
        ready_replicas=sum(map(answers, children)),
        selector=f"{INFERENCE_SET}={owner.name}",
        conditions=(condition,),
        observed_inputs=observed.inputs(owner),
    )
    kept = {"conditions": new.conditions, "performance": None}
    same = new == old.model_copy(update=kept) and find(old.conditions, READY) == condition
    return None if same else new


def _condition(
    owner: InferenceSet, children: list[Workspace], ready: int, now: datetime
) -> Condition:
    wanted = owner.spec.replicas
    failed = [child for child in children if child.status.state is WorkspaceState.FAILED]
    reason = "inferencesetReady" if ready >= wanted else "inferencesetNotReady"
    if failed and ready < wanted:
        reason = "inferencesetFailed"
    return Condition(
        type=READY,
        status=ConditionStatus.of(ready >= wanted),
        reason=reason,
        message=f"{ready} of {wanted} replicas are ready{_worst(failed or children)}"[:MAX_MESSAGE],
        observed_generation=owner.metadata.generation,
        last_transition_time=now,
    )


def _worst(children: list[Workspace]) -> str:
    for child in children:
        said = find(child.status.conditions, SUCCEEDED)
        if said and not said.true and said.message:
            return f": {child.name}: {said.message}"
    return ""
