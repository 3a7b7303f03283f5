"""What the API server says to staged updates, in all their versions and both scopes."""

from collections.abc import Iterator
from typing import Any, Final

from tests.integration.api.rows import (
    STABLE,
    TAKEN,
    Case,
    Change,
    Manifest,
    Row,
    changes,
    specs,
    written,
)

RUNS: Final = [(kind, v) for kind in ("ClusterStagedUpdateRun", "StagedUpdateRun") for v in STABLE]
STRATEGIES: Final = [
    (kind, v) for kind in ("ClusterStagedUpdateStrategy", "StagedUpdateStrategy") for v in STABLE
]
APPROVALS: Final = [
    ("ClusterApprovalRequest", "v1alpha1"),
    *((kind, v) for kind in ("ClusterApprovalRequest", "ApprovalRequest") for v in STABLE),
]
RUN: Final = {"placementName": "chat", "stagedRolloutStrategyName": "regions"}
ALPHA_RUN: Final = {**RUN, "resourceSnapshotIndex": "1"}
ASKED: Final = {"parentStageRollout": "run", "targetStage": "eu"}
STATES: Final = 'Unsupported value: "{}": supported values: "Initialize", "Run", "Stop"'
FROZEN: Final = "spec: Invalid value: The spec field is immutable"
MOVE: Final = "spec: Invalid value: invalid state transition: cannot transition from {} to {}"
APPROVAL_WAITS: Final = "Invalid value: AfterStageTaskType is Approval, waitTime is not allowed"


def run(version: str = "v1beta1", name: str = "tried", **spec: Any) -> Manifest:
    return written("ClusterStagedUpdateRun", version, RUN | spec, name)


RUN_SPECS: Final[list[Case]] = [
    ("as KubeFleet's documentation has it", {"resourceSnapshotIndex": "0"}, TAKEN),
    ("to the newest snapshot", {}, TAKEN),
    ("that is to run at once", {"state": "Run"}, TAKEN),
    ("that is stopped from the start", {"state": "Stop"}, TAKEN),
    ("with empty names", dict.fromkeys([*RUN, "resourceSnapshotIndex"], ""), TAKEN),
    ("of a long placement", {"placementName": "p" * 255}, TAKEN),
    (
        "of a placement with too long a name",
        {"placementName": "p" * 256},
        "spec.placementName: Too long: may not be more than 255 bytes",
    ),
    ("in an unknown state", {"state": "Pause"}, f"spec.state: {STATES.format('Pause')}"),
    ("in an empty state", {"state": ""}, f"spec.state: {STATES.format('')}"),
    ("of no placement", {"placementName": None}, "spec.placementName: Required value"),
    (
        "by no strategy",
        {"stagedRolloutStrategyName": None},
        "spec.stagedRolloutStrategyName: Required value",
    ),
    (
        "whose index is a number",
        {"resourceSnapshotIndex": 1},
        "spec.resourceSnapshotIndex: Invalid value: ",
    ),
]
RUN_CHANGES: Final[list[Change]] = [
    ("Initialize to Run", {}, {"state": "Run"}, TAKEN),
    ("Run to Stop", {"state": "Run"}, {"state": "Stop"}, TAKEN),
    ("Stop to Run", {"state": "Stop"}, {"state": "Run"}, TAKEN),
    ("Stop to Stop", {"state": "Stop"}, {"state": "Stop"}, TAKEN),
    ("Initialize to Stop", {}, {"state": "Stop"}, MOVE.format("Initialize", "Stop")),
    (
        "Run to Initialize",
        {"state": "Run"},
        {"state": "Initialize"},
        MOVE.format("Run", "Initialize"),
    ),
    (
        "Run to no state, which is Initialize",
        {"state": "Run"},
        {"state": None},
        MOVE.format("Run", "Initialize"),
    ),
    (
        "Stop to Initialize",
        {"state": "Stop"},
        {"state": "Initialize"},
        MOVE.format("Stop", "Initialize"),
    ),
    (
        "another placement",
        {},
        {"placementName": "other"},
        "spec.placementName: Invalid value: placementName is immutable",
    ),
    (
        "another strategy",
        {},
        {"stagedRolloutStrategyName": "other"},
        "stagedRolloutStrategyName is immutable",
    ),
    (
        "another index",
        {"resourceSnapshotIndex": "1"},
        {"resourceSnapshotIndex": "2"},
        "spec.resourceSnapshotIndex: Invalid value: resourceSnapshotIndex is immutable",
    ),
    ("an index where there was none", {}, {"resourceSnapshotIndex": "2"}, TAKEN),
    (
        "no index where there was one",
        {"resourceSnapshotIndex": "1"},
        {"resourceSnapshotIndex": None},
        TAKEN,
    ),
]


def stage(**fields: Any) -> Manifest:
    return {"stages": [{"name": "eu", **fields}]}


def after(*tasks: Manifest) -> Manifest:
    return stage(afterStageTasks=list(tasks))


def before(*tasks: Manifest) -> Manifest:
    return stage(beforeStageTasks=list(tasks))


APPROVE: Final = {"type": "Approval"}
WAIT: Final = {"type": "TimedWait", "waitTime": "1h"}
TYPES: Final = 'Unsupported value: "Vote": supported values: "TimedWait", "Approval"'
AFTER: Final = "stages[0].afterStageTasks"
BEFORE: Final = "stages[0].beforeStageTasks"
CONCURRENCY: Final = "stages[0].maxConcurrency"
EMPTY: Final[Manifest] = {"matchLabels": {}}
WAITS: Final[list[Case]] = [
    *(
        (f"with a wait of {text}", after(WAIT | {"waitTime": text}), TAKEN)
        for text in ("0s", "90s", "1h30m", "1.5h", "0.5s0.5s")
    ),
    *(
        (
            f"with a wait of {text}",
            after(WAIT | {"waitTime": text}),
            f"{AFTER}[0].waitTime: Invalid value: ",
        )
        for text in ("0abc", "1", "1d", "01h", "-1h", "")
    ),
]
ALL_VERSIONS: Final[list[Case]] = [
    ("without stages", {"stages": []}, TAKEN),
    ("of 31 stages", {"stages": [{"name": f"s{n}"} for n in range(31)]}, TAKEN),
    (
        "of 32 stages",
        {"stages": [{"name": f"s{n}"} for n in range(32)]},
        "stages: Too many: 32: must have at most 31 items",
    ),
    ("that names no stages", {}, "stages: Required value"),
    ("with all a stage has", stage(labelSelector=EMPTY, sortingLabelKey="order"), TAKEN),
    ("with a long stage name", {"stages": [{"name": "a" * 63}]}, TAKEN),
    (
        "with too long a stage name",
        {"stages": [{"name": "a" * 64}]},
        "stages[0].name: Too long: may not be more than 63 bytes",
    ),
    (
        "with a stage name of other characters",
        {"stages": [{"name": "-A"}]},
        "stages[0].name: Invalid value: ",
    ),
    ("with a stage that has no name", {"stages": [{}]}, "stages[0].name: Required value"),
    ("with a task of each type afterwards", after(APPROVE, WAIT), TAKEN),
    ("with a task twice", after(WAIT, WAIT), TAKEN),
    (
        "with three tasks afterwards",
        after(APPROVE, WAIT, APPROVE),
        f"{AFTER}: Too many: 3: must have at most 2 items",
    ),
    ("with a task of an unknown type", after({"type": "Vote"}), f"{AFTER}[0].type: {TYPES}"),
    ("with a task of no type", after({"waitTime": "1h"}), f"{AFTER}[0].type: Required value"),
    *WAITS,
]
STAGES: Final[list[Case]] = [
    ("with an approval before", before(APPROVE), TAKEN),
    *((f"with {most} at a time", stage(maxConcurrency=most), TAKEN) for most in (1, 50, 1000)),
    *(
        (f"with {most} at a time", stage(maxConcurrency=most), TAKEN)
        for most in ("1%", "50%", "100%")
    ),
    *(
        (
            f"with {most!r} at a time",
            stage(maxConcurrency=most),
            f"{CONCURRENCY}: Invalid value: ",
        )
        for most in ("0", "50", "0%", "101%", "")
    ),
    *(
        (
            f"with {most} at a time",
            stage(maxConcurrency=most),
            f"{CONCURRENCY}: Invalid value: maxConcurrency must be at least 1",
        )
        for most in (0, -1)
    ),
    (
        "with an approval that waits afterwards",
        after(APPROVE | {"waitTime": "1h"}),
        f"{AFTER}: {APPROVAL_WAITS}",
    ),
    (
        "with a wait of no time",
        after({"type": "TimedWait"}),
        f"{AFTER}: Invalid value: AfterStageTaskType is TimedWait, waitTime is required",
    ),
    (
        "with an approval that waits before",
        before(APPROVE | {"waitTime": "1h"}),
        f"{BEFORE}: {APPROVAL_WAITS}",
    ),
    (
        "with a wait before",
        before(WAIT),
        f"{BEFORE}: Invalid value: BeforeStageTaskType cannot be TimedWait",
    ),
    (
        "with a wait of no time before",
        before({"type": "TimedWait"}),
        f"{BEFORE}: Invalid value: BeforeStageTaskType cannot be TimedWait",
    ),
    (
        "with two tasks before",
        before(APPROVE, APPROVE),
        f"{BEFORE}: Too many: 2: must have at most 1 item",
    ),
    ("that follows its clusters", {"stages": [], "whenClustersChange": "Follow"}, TAKEN),
    ("that aborts", {"stages": [], "whenClustersChange": "Abort", "stuckThreshold": "1h"}, TAKEN),
    (
        "that does neither",
        {"stages": [], "whenClustersChange": "Wait"},
        'whenClustersChange: Unsupported value: "Wait": supported values: "Abort", "Follow"',
    ),
    (
        "that is stuck after a number",
        {"stages": [], "stuckThreshold": "5"},
        "stuckThreshold: Invalid value: ",
    ),
]
ALPHA_STAGES: Final[list[Case]] = [
    *WAITS,
    ("with no wait at all", after(WAIT | {"waitTime": "0"}), TAKEN),
    ("with an approval that waits", after(APPROVE | {"waitTime": "1h"}), TAKEN),
    ("with a wait of no time", after({"type": "TimedWait"}), TAKEN),
]
ALPHA_RUNS: Final = [
    Row("whole", run("v1alpha1", resourceSnapshotIndex="0")),
    Row("without an index", run("v1alpha1"), "spec.resourceSnapshotIndex: Required value"),
    Row("with a long name", run("v1alpha1", "r" * 127, **ALPHA_RUN)),
    Row(
        "with too long a name",
        run("v1alpha1", "r" * 128, **ALPHA_RUN),
        "<nil>: Invalid value: metadata.name max length is 127",
    ),
    *(
        Row(f"another {field}", run("v1alpha1", **ALPHA_RUN), FROZEN, {"spec": {field: "other"}})
        for field in ALPHA_RUN
    ),
]


def runs() -> Iterator[Row]:
    for kind, version in RUNS:
        yield from specs(kind, version, RUN_SPECS, RUN)
        yield from changes(kind, version, RUN_CHANGES, RUN)
        yield Row("with a long name", written(kind, version, RUN, "r" * 63))
        long = "<nil>: Invalid value: metadata.name max length is 63"
        yield Row("with too long a name", written(kind, version, RUN, "r" * 64), long)


def strategies() -> Iterator[Row]:
    alpha = ("ClusterStagedUpdateStrategy", "v1alpha1")
    whole = [*ALL_VERSIONS, *STAGES]
    tables = [(STRATEGIES[0], whole), *((kind, STAGES) for kind in STRATEGIES[1:-1])]
    tables += [(STRATEGIES[-1], whole), (alpha, ALPHA_STAGES)]
    for (kind, version), table in tables:
        for what, spec, said in table:
            yield Row(what, written(kind, version, spec), said and f"spec.{said}")


def snapshots() -> Iterator[Row]:
    """The strategy as a run's status keeps it, which is held to the same."""
    where = "stagedUpdateStrategySnapshot"
    for what, strategy, said in STAGES:
        change = {"status": {where: strategy}}
        yield Row(what, run(), said and f"status.{where}.{said}", change, "status")


def approvals() -> Iterator[Row]:
    for kind, version in APPROVALS:
        whole = written(kind, version, ASKED)
        yield Row("whole", whole)
        yield Row("changed", whole, FROZEN, {"spec": {"targetStage": "us"}})
        yield Row("unchanged", whole, change={"spec": ASKED})
        for field in ASKED:
            lacking = written(kind, version, ASKED | {field: None})
            yield Row(f"without {field}", lacking, f"spec.{field}: Required value")


ROWS: Final = (*runs(), *ALPHA_RUNS, *strategies(), *snapshots(), *approvals())
