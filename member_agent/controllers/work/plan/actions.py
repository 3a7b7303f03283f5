"""What the controller of Works sees, and what it may do about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fleet.api.ending import Ending
from fleet.api.placement import ApplyStrategy
from fleet.api.work import AppliedResource, AppliedWork, Work, WorkResourceIdentifier
from member_agent.controllers.work.plan.availability import Finding
from member_agent.controllers.work.plan.manifests import Body, Ref
from member_agent.inputs import Inputs


class Reason(StrEnum):
    """Why a manifest is applied, or is not."""

    APPLIED = "Applied"
    APPLY_FAILED = "ManifestApplyFailed"
    DECODING_FAILED = "DecodingErred"
    GENERATE_NAME = "FoundGenerateName"
    DUPLICATED = "Duplicated"
    TAKE_OVER_FAILED = "FailedToTakeOver"
    NOT_TAKEN_OVER = "NotTakenOver"
    DRIFTS = "FoundDrifts"


@dataclass(frozen=True, slots=True)
class Verdict:
    reason: Reason
    message: str = ""

    @property
    def applied(self) -> bool:
        return self.reason is Reason.APPLIED


@dataclass(frozen=True, slots=True)
class Owner:
    kind: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """An object as it is on the member."""

    uid: str
    version: int
    """Its resourceVersion, which every change moves."""
    fingerprint: str
    """Moves with the spec, labels, annotations and owners, and not with the status."""
    generation: int = 0
    owners: tuple[Owner, ...] = ()
    deleting: bool = False
    body: Body | None = None
    """The whole object, where it had to be read."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an inference workload is made from, and of what its status speaks."""

    inputs: Inputs
    observed: str
    """As its status says; empty where nothing is said, as by KAITO."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How we left an object that we applied."""

    digest: str
    fingerprint: str
    version: int
    uid: str
    generation: int
    finding: Finding
    subject: Subject | None = None
    """What a workload's status speaks of, and what it should."""
    content: str = ""
    """Digest of a ConfigMap's data."""
    status: Mapping[str, Any] | None = None
    """The object's status, where it is to be reported back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One manifest, and the object that it describes."""

    identifier: WorkResourceIdentifier
    manifest: Body
    digest: str = ""
    problem: Verdict | None = None
    """Why it cannot be applied, whatever the member has."""
    live: Live | None = None
    seen: Seen | None = None

    @property
    def ref(self) -> Ref:
        return Ref.of(self.identifier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that `plan` may look at, read once at the start of the reconcile."""

    work: Work | None
    record: AppliedWork | None
    parts: tuple[Part, ...] = ()
    recorded: Mapping[Ref, Live | None] = field(default_factory=dict)
    """What the record names and the Work no longer does; None where it is gone already."""
    namespaces: frozenset[str] = frozenset()
    leaving: bool = False
    """The member leaves the fleet: its workloads stay, and nobody waits for them."""
    ending: Ending = Ending.OWN
    """Of a Work that is being deleted; what it holds stays where it goes with its kind."""

    @property
    def strategy(self) -> ApplyStrategy:
        return (self.work and self.work.spec.apply_strategy) or ApplyStrategy()


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep the Work until its objects are gone."""

    work: Work


@dataclass(frozen=True, slots=True)
class Adopt:
    """Make the record that owns the Work's objects."""

    record: AppliedWork


@dataclass(frozen=True, slots=True)
class EnsureNamespace:
    """Make a namespace that nobody places; it stays when the Work goes."""

    name: str


@dataclass(frozen=True, slots=True)
class Apply:
    part: Part
    uid: str = ""
    """Of an object to be taken over: no other is to be made in its place."""
    force: bool = True


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete what the Work no longer holds."""

    resource: AppliedResource
    uid: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Delete the record and, before it, all that it owns."""

    record: AppliedWork


@dataclass(frozen=True, slots=True)
class Release:
    work: Work


Step = EnsureNamespace | Apply
Action = Hold | Adopt | Step | Remove | Drop | Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The groups are carried out one after another, the actions of a group side by side."""

    before: tuple[Hold | Adopt, ...] = ()
    intent: tuple[AppliedResource, ...] | None = None
    """What the record is to name before any of it is made; None where it does already."""
    waves: tuple[tuple[Step, ...], ...] = ()
    after: tuple[Remove | Drop | Release, ...] = ()
    settled: tuple[tuple[Part, Verdict], ...] = ()
    """What needs no step, or can have none."""
    reports: bool = False
    """Whether the Work is to be told what became of it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a manifest."""

    part: Part
    verdict: Verdict
    seen: Seen | None = None
