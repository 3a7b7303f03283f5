"""Which clusters belong to which stage, and in which order. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby

from fleet.api.objects import LabelSelector
from fleet.api.staged_update import StageTask, StageTaskType, UpdateStage
from hub.controllers.updaterun.plan.errors import InvalidError

Labels = Mapping[str, Mapping[str, str]]
OPERATORS = frozenset({"In", "NotIn", "Exists", "DoesNotExist"})
VALUED = frozenset({"In", "NotIn"})
SHOWN = 10
"""Clusters without a stage that a message names."""


def divide(
    stages: Sequence[UpdateStage], clusters: Iterable[str], labels: Labels
) -> tuple[tuple[str, ...], ...]:
    """Put each cluster into its stage; InvalidError where one is in none or in two."""
    names = sorted(clusters)
    index = _Index(stages, names, labels)
    placed: dict[str, str] = {}
    divided = []
    for stage in stages:
        members = index.members(stage)
        for name in members:
            if name in placed:
                raise InvalidError(
                    f"cluster {name} is in two stages, {placed[name]} and {stage.name}: their"
                    " labelSelectors must not overlap"
                )
            placed[name] = stage.name
        divided.append(tuple(sorted(members, key=partial(_position, stage, labels))))
    if missing := [name for name in names if name not in placed]:
        shown = ", ".join(missing[:SHOWN])
        raise InvalidError(
            f"{len(missing)} clusters of the placement are in no stage: {shown}; the"
            " labelSelectors of the stages must cover them all"
        )
    return tuple(divided)


class _Index:
    """Clusters by the labels that stages ask for: a stage need not look at all of them."""

    def __init__(
        self, stages: Sequence[UpdateStage], clusters: Iterable[str], labels: Labels
    ) -> None:
        self._labels = labels
        self._known = [name for name in clusters if name in labels]
        self._having: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for key in {key for stage in stages for key in _labels_of(stage)}:
            for name in self._known:
                if (value := labels[name].get(key)) is not None:
                    self._having[key, value].add(name)

    def members(self, stage: UpdateStage) -> list[str]:
        selector = stage.label_selector
        if selector is None:
            return []
        fitting = [self._having[item] for item in selector.match_labels.items()]
        found = sorted(set.intersection(*fitting)) if fitting else self._known
        if not selector.match_expressions:
            return found
        return [name for name in found if selector.matches(self._labels[name])]


def _labels_of(stage: UpdateStage) -> Iterable[str]:
    return stage.label_selector.match_labels if stage.label_selector else ()


def takes(stage: UpdateStage, labels: Mapping[str, str]) -> bool:
    """Say whether a stage takes a cluster with these labels."""
    return stage.label_selector is not None and stage.label_selector.matches(labels)


def rank(stage: UpdateStage, labels: Mapping[str, str]) -> int | None:
    """Read the integer by which a cluster is ordered; None where there is none to read."""
    if stage.sorting_label_key is None:
        return 0
    text = labels.get(stage.sorting_label_key, "")
    digits = text.removeprefix("-").removeprefix("+") if len(text) > 1 else text
    return int(text) if digits.isascii() and digits.isdecimal() else None


def check(stages: Sequence[UpdateStage]) -> None:
    """Refuse what no schema refuses; InvalidError names the stage and the field."""
    for stage in stages:
        for problem in _problems(stage):
            raise InvalidError(f"stage {stage.name}: {problem}")
    names = sorted(stage.name for stage in stages)
    twice = [name for name, same in groupby(names) if len(list(same)) > 1]
    if twice:
        raise InvalidError(f"two stages have the name {twice[0]}")


def _position(stage: UpdateStage, labels: Labels, cluster: str) -> tuple[int, str]:
    found = rank(stage, labels[cluster])
    if found is None:
        key = stage.sorting_label_key or ""
        value = labels[cluster].get(key)
        said = "is missing" if value is None else f"is {value!r}, and no integer"
        raise InvalidError(
            f"label {key} on cluster {cluster} {said}: stage {stage.name} orders its clusters by"
            " it (sortingLabelKey)"
        )
    return found, cluster


def _problems(stage: UpdateStage) -> Iterator[str]:
    before, after = stage.before_stage_tasks, stage.after_stage_tasks
    if len(before) > 1:
        yield "beforeStageTasks takes one task"
    if any(task.type is not StageTaskType.APPROVAL for task in before):
        yield "beforeStageTasks takes Approval alone"
    if len({task.type for task in after}) < len(after):
        yield "afterStageTasks takes one task of each type"
    if any(_timeless(task) for task in after):
        yield "waitTime of a TimedWait must be longer than 0"
    yield from _misread(stage.label_selector)


def _timeless(task: StageTask) -> bool:
    return task.type is StageTaskType.TIMED_WAIT and not task.wait


def _misread(selector: LabelSelector | None) -> Iterator[str]:
    for each in selector.match_expressions if selector else ():
        if each.operator not in OPERATORS:
            yield f"labelSelector has the operator {each.operator!r}"
        elif bool(each.values) != (each.operator in VALUED):
            yield f"labelSelector: {each.operator} of {each.key} has too many or too few values"
