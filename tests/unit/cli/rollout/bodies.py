"""Runs, placements and bindings as a hub would leave them, for tests to change."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fleet.api import names

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
Body = dict[str, Any]


def ago(**length: float) -> str:
    return (NOON - timedelta(**length)).isoformat()


def condition(
    kind: str, status: str, reason: str, message: str = "", *, minutes: float = 1
) -> Body:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": ago(minutes=minutes),
    }


PLANNED = condition("Initialized", "True", "UpdateRunInitializedSuccessfully", minutes=30)
GOING = condition("Progressing", "True", "UpdateRunProgressing", minutes=30)
STAGE_GOING = condition("Progressing", "True", "StageUpdatingStarted", minutes=9)
STAGE_DONE = condition("Succeeded", "True", "StageUpdatingSucceeded", minutes=8)
STARTED = condition("Started", "True", "ClusterUpdatingStarted", minutes=3)
UPDATED = condition("Succeeded", "True", "ClusterUpdatingSucceeded", minutes=2)
ASKED = condition("ApprovalRequestCreated", "True", "StageTaskApprovalRequestCreated", minutes=4)
APPROVED = condition("ApprovalRequestApproved", "True", "StageTaskApprovalRequestApproved")


def waiting(minutes: float = 4) -> Body:
    return condition("Progressing", "False", "UpdateRunWaiting", minutes=minutes)


def stage_waiting(minutes: float = 4) -> Body:
    return condition("Progressing", "False", "StageUpdatingWaiting", minutes=minutes)


def cluster(name: str, *conditions: Body) -> Body:
    return {"clusterName": name, "conditions": list(conditions)}


def done(*clusters: str) -> list[Body]:
    return [cluster(name, STARTED, UPDATED) for name in clusters]


def stage(name: str, clusters: list[Body], *conditions: Body, **tasks: list[Body]) -> Body:
    """Give a stage; its tasks are `before` and `after`."""
    named = {f"{when}StageTaskStatus": found for when, found in tasks.items()}
    return {"stageName": name, "clusters": clusters, "conditions": list(conditions), **named}


def approval(name: str, *conditions: Body) -> Body:
    return {"type": "Approval", "approvalRequestName": name, "conditions": list(conditions)}


def run(*conditions: Body, stages: list[Body] = [], **facts: Any) -> Body:  # noqa: B006
    """Give a run `chat-2` to snapshot 3; `facts` are state, name, namespace, strategy, made."""
    namespace, name = facts.get("namespace", ""), facts.get("name", "chat-2")
    strategy = facts.get("strategy")
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "generation": 1,
            "creationTimestamp": facts.get("made", ago(minutes=31)),
        },
        "spec": {
            "placementName": facts.get("placement", "chat"),
            "resourceSnapshotIndex": "3",
            "stagedRolloutStrategyName": "regions",
            "state": facts.get("state", "Run"),
        },
        "status": {
            "conditions": list(conditions),
            "stagesStatus": stages,
            "resourceSnapshotIndexUsed": "3",
            **({"stagedUpdateStrategySnapshot": strategy} if strategy else {}),
            **({"deletionStageStatus": facts["deletion"]} if "deletion" in facts else {}),
        },
    }


def placement(*conditions: Body, strategy: str = "RollingUpdate", index: str = "3") -> Body:
    return {
        "metadata": {"name": "chat", "generation": 1, "uid": "u"},
        "spec": {
            "resourceSelectors": [{"group": "", "version": "v1", "kind": "Namespace"}],
            "strategy": {"type": strategy},
        },
        "status": {"conditions": list(conditions), "observedResourceIndex": index},
    }


def binding(name: str, index: int, *conditions: Body, state: str = "Bound") -> Body:
    return {
        "metadata": {
            "name": f"chat-{name}",
            "generation": 1,
            "labels": {names.PARENT: "chat"},
        },
        "spec": {
            "state": state,
            "targetCluster": name,
            "resourceSnapshotName": f"chat-{index}-snapshot",
            "schedulingPolicySnapshotName": "chat-0",
            "clusterDecision": {"clusterName": name, "selected": True, "reason": "x"},
        },
        "status": {"conditions": list(conditions)},
    }
