"""What becomes of a run when the clusters of its placement change: it ends, or it follows. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from fleet.api.staged_update import (
    ClusterUpdateStatus,
    StageStatus,
    UpdateRunStatus,
    UpdateStage,
    UpdateStrategySpec,
)
from hub.controllers.updaterun.plan.actions import Observed
from hub.controllers.updaterun.plan.clusters import ended
from hub.controllers.updaterun.plan.errors import InvalidError
from hub.controllers.updaterun.plan.marks import SUCCEEDED, true
from hub.controllers.updaterun.plan.selection import Selection, wanted_count
from hub.controllers.updaterun.plan.stages import divide, rank, takes

JOINED_STAGE = "modelfleet.dev/joinedStage"
"""For clusters that join when their own stage is over, or that no stage takes."""
WAY_OUT = "make a new run, or let the strategy follow such changes (whenClustersChange: Follow)"


def compare(status: UpdateRunStatus, selection: Selection, observed: Observed) -> None:
    """InvalidError where the decision is another than the run was planned by."""
    known, index = status.policy_snapshot_index_used, selection.policy_index
    if known != index:
        raise InvalidError(
            f"the policy of the placement has changed: its snapshot is {index}, and the run goes"
            f" by {known}; {WAY_OUT}"
        )
    wanted = wanted_count(selection.policy)
    if wanted is not None and wanted != status.policy_observed_cluster_count:
        raise InvalidError(
            f"the placement wants {wanted} clusters now, and the run goes by"
            f" {status.policy_observed_cluster_count}; {WAY_OUT}"
        )
    listed = {name for stage in status.stages_status for name in names_of(stage)}
    if news := _news(listed, selection, status.deletion_stage_status):
        raise InvalidError(f"the clusters of the placement have changed: {news}; {WAY_OUT}")
    _in_place(status, selection, observed)


def names_of(stage: StageStatus) -> tuple[str, ...]:
    return tuple(cluster.cluster_name for cluster in stage.clusters)


def _news(listed: set[str], selection: Selection, deletion: StageStatus | None) -> str:
    going = set(names_of(deletion)) if deletion else set()
    news = (
        ("joined", selection.chosen.keys() - listed),
        ("left", (listed - selection.chosen.keys()) | (selection.leaving.keys() - going)),
    )
    return "; ".join(f"{', '.join(sorted(who))} {what}" for what, who in news if who)


def _in_place(status: UpdateRunStatus, selection: Selection, observed: Observed) -> None:
    """Labels of clusters may have changed, and their stages with them."""
    strategy = status.staged_update_strategy_snapshot
    stages = strategy.stages if strategy else ()
    now = divide(stages, selection.chosen, observed.labels)
    if now == tuple(map(names_of, status.stages_status)):
        return
    for stage, clusters in zip(status.stages_status, now, strict=False):
        if names_of(stage) != clusters:
            raise InvalidError(
                f"the labels of clusters have changed: stage {stage.stage_name} has"
                f" {', '.join(clusters) or 'none'} now; {WAY_OUT}"
            )
    raise InvalidError(f"the run has other stages than its strategy snapshot; {WAY_OUT}")


def follow(
    status: UpdateRunStatus,
    strategy: UpdateStrategySpec,
    selection: Selection,
    labels: Mapping[str, Mapping[str, str]],
) -> UpdateRunStatus:
    """Take in clusters that have joined, and leave out those that have left."""
    stages = [_without(stage, selection) for stage in status.stages_status]
    listed = {name for stage in stages for name in names_of(stage)}
    homes: dict[int, list[str]] = {}
    for name in sorted(selection.chosen.keys() - listed):
        home = _home(name, strategy.stages, stages, labels)
        homes.setdefault(home, []).append(name)
    for home, joined in sorted(homes.items()):
        if home == len(stages):
            stages.append(StageStatus(stage_name=JOINED_STAGE, clusters=()))
        config = strategy.stages[home] if home < len(strategy.stages) else None
        stages[home] = _with(stages[home], _in_order(joined, config, labels))
    update = {
        "policy_snapshot_index_used": selection.policy_index,
        "policy_observed_cluster_count": len(selection.chosen),
        "stages_status": tuple(stages),
        "deletion_stage_status": _leaving(status.deletion_stage_status, selection),
    }
    return status.model_copy(update=update)


def stage_config(strategy: UpdateStrategySpec, index: int) -> UpdateStage:
    """Give how a stage goes; that of the joined is gone through one by one."""
    stages = strategy.stages
    return stages[index] if index < len(stages) else UpdateStage(name=JOINED_STAGE)


def _home(
    cluster: str,
    configs: Sequence[UpdateStage],
    stages: Sequence[StageStatus],
    labels: Mapping[str, Mapping[str, str]],
) -> int:
    mine = labels.get(cluster, {})
    fitting = [index for index, config in enumerate(configs) if takes(config, mine)]
    if len(fitting) == 1 and not true(stages[fitting[0]].conditions, SUCCEEDED):
        return fitting[0]
    return len(configs)


def _in_order(
    joined: Sequence[str], config: UpdateStage | None, labels: Mapping[str, Mapping[str, str]]
) -> Iterator[ClusterUpdateStatus]:
    """Behind those that are there; whoever lacks the label comes last."""

    def order(name: str) -> tuple[bool, int, str]:
        found = rank(config, labels.get(name, {})) if config else 0
        return found is None, found or 0, name

    return (ClusterUpdateStatus(cluster_name=name) for name in sorted(joined, key=order))


def _with(stage: StageStatus, joined: Iterator[ClusterUpdateStatus]) -> StageStatus:
    """Put clusters behind the others; the stage of the joined goes on again where it was over."""
    return stage.model_copy(
        update={
            "clusters": (*stage.clusters, *joined),
            "conditions": tuple(c for c in stage.conditions if c.type != SUCCEEDED),
            "end_time": None,
        }
    )


def _without(stage: StageStatus, selection: Selection) -> StageStatus:
    kept = tuple(c for c in stage.clusters if c.cluster_name in selection.chosen)
    if len(kept) == len(stage.clusters):
        return stage
    return stage.model_copy(update={"clusters": kept})


def _leaving(stage: StageStatus | None, selection: Selection) -> StageStatus | None:
    if stage is None:
        return None
    leaving, chosen = selection.leaving, selection.chosen
    kept = [
        c
        for c in stage.clusters
        if c.cluster_name not in chosen and not (ended(c) and c.cluster_name in leaving)
    ]
    known = {c.cluster_name for c in kept}
    new = [ClusterUpdateStatus(cluster_name=name) for name in leaving if name not in known]
    clusters = tuple(sorted((*kept, *new), key=lambda c: c.cluster_name))
    return stage if clusters == stage.clusters else stage.model_copy(update={"clusters": clusters})
