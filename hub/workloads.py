"""What the members say of an inference workload: its share on each cluster that has its Work."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from pydantic import ValidationError
from typing_extensions import override

from fleet.api import names
from fleet.api.binding import Allocation
from fleet.api.conditions import Condition, ConditionStatus, find
from fleet.api.keys import Key
from fleet.api.work import ManifestCondition, Work
from fleet.api.workspace import (
    UPDATING,
    InferenceSet,
    InferenceSetStatus,
    Workspace,
    WorkspaceState,
    WorkspaceStatus,
)

Workload = Workspace | InferenceSet
WorkloadStatus = WorkspaceStatus | InferenceSetStatus
STATUSES: Mapping[str, type[WorkloadStatus]] = {
    "Workspace": WorkspaceStatus,
    "InferenceSet": InferenceSetStatus,
}
READY_CONDITIONS: Mapping[str, str] = {
    "Workspace": "InferenceReady",
    "InferenceSet": "InferenceSetReady",
}
SPEAKING: Final = frozenset({"InferenceReady", "WorkspaceSucceeded", "InferenceSetReady"})
"""Conditions that are true of one form of a workload, and not of the next."""


class WorkloadRef(NamedTuple):
    """A Workspace or an InferenceSet on the hub."""

    kind: str
    namespace: str
    name: str

    @override
    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"

    @classmethod
    def of(cls, workload: Workload) -> "WorkloadRef":
        return cls(workload.kind(), workload.namespace, workload.name)

    @property
    def key(self) -> Key:
        return Key(self.namespace, self.name)


def refs(annotations: Mapping[str, str]) -> Iterator[WorkloadRef]:
    """Read which workloads a Work carries."""
    for text in filter(None, annotations.get(names.WORKLOAD, "").split(",")):
        kind, _, rest = text.partition("/")
        namespace, _, name = rest.partition("/")
        yield WorkloadRef(kind, namespace, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A workload on one cluster, as its member reported it last."""

    cluster: str
    region: str
    gateway_url: str = ""
    in_use: bool = True
    """Whether the placement still chooses the cluster; else it only keeps it for a while."""
    silent: bool = False
    generation: int = 0
    """Of the workload on the hub, as it was when the member applied it; 0 is not known."""
    status: WorkloadStatus | None = None
    allocation: Allocation | None = None

    def condition(self, kind: str) -> Condition | None:
        return find(self.status.conditions, kind) if self.status else None


def reported(ref: WorkloadRef, work: Work) -> WorkloadStatus | None:
    """Read the status that a member sent back; one that cannot be read counts as none."""
    for manifest in work.status.manifest_conditions:
        identity, sent = manifest.identifier, manifest.back_reported_status
        if sent and (identity.kind, identity.namespace, identity.name) == tuple(ref):
            try:
                body = sent.observed_status.get("status") or {}
                return _as_found(STATUSES[ref.kind].model_validate(body), manifest)
            except ValidationError:
                return None
    return None


def _as_found(status: WorkloadStatus, manifest: ManifestCondition) -> WorkloadStatus:
    """Doubt a readiness that speaks of what was there before the last change."""
    available = find(manifest.conditions, "Available")
    if available is None or not available.false:
        return status
    told = tuple(_doubted(each, available) for each in status.conditions)
    update: dict[str, object] = {"conditions": told} if told != status.conditions else {}
    if update and isinstance(status, WorkspaceStatus):
        update["state"] = WorkspaceState.NOT_READY
    return status.model_copy(update=update)


def _doubted(condition: Condition, available: Condition) -> Condition:
    if condition.type not in SPEAKING or not condition.true:
        return condition
    update = {
        "status": ConditionStatus.FALSE,
        "reason": UPDATING,
        "message": available.message,
        "last_transition_time": available.last_transition_time,
    }
    return condition.model_copy(update=update)


def served_model(workload: Workload) -> str:
    """Name what the engine serves: the preset, or the workload itself where it has a template."""
    if isinstance(workload, Workspace):
        inference = workload.inference
    else:
        inference = workload.spec.template.inference
    preset = inference.preset if inference else None
    return preset.name if preset else workload.name


def adapters(workload: Workload) -> tuple[str, ...]:
    """Name the adapters that the engine serves as models beside its own."""
    if isinstance(workload, Workspace):
        inference = workload.inference
    else:
        inference = workload.spec.template.inference
    given = inference.adapters if inference and inference.preset else ()
    return tuple(dict.fromkeys(each.source.name for each in given if each.source))


def allocated_to(allocation: Allocation, ref: WorkloadRef) -> bool:
    return (allocation.kind, allocation.namespace, allocation.name) == tuple(ref)


def chosen(shares: Sequence[Share]) -> tuple[Share, ...]:
    """Take the shares that count: what a placement let go of does not, while others are there."""
    return tuple(share for share in shares if share.in_use) or tuple(shares)
