"""The taint by which nothing new is placed on a cluster, KubeFleet's own. Pure."""

from collections.abc import Sequence
from typing import Final

from fleet.api.cluster import Taint

CORDON: Final = Taint(key="cordon-key", value="cordon-value", effect="NoSchedule")


def cordoned(taints: Sequence[Taint]) -> bool:
    return any(map(_is_ours, taints))


def with_cordon(taints: Sequence[Taint]) -> tuple[Taint, ...]:
    return tuple(taints) if cordoned(taints) else (*taints, CORDON)


def without_cordon(taints: Sequence[Taint]) -> tuple[Taint, ...]:
    return tuple(taint for taint in taints if not _is_ours(taint))


def named(taint: Taint) -> str:
    if _is_ours(taint):
        return "cordoned"
    return f"{taint.key}={taint.value}" if taint.value else taint.key


def _is_ours(taint: Taint) -> bool:
    return (taint.key, taint.value, taint.effect) == (CORDON.key, CORDON.value, CORDON.effect)
