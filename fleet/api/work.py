"""Work: manifests for one member, and AppliedWork, the record of what became of them there."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from fleet.api.conditions import Condition
from fleet.api.objects import Model, Resource
from fleet.api.placement import ApplyStrategy, PatchDetail, ReportBackStrategy
from fleet.api.schema import INT64, OBJECT, REQUIRED, V1BETA1


class Workload(Model):
    """The manifests of a Work."""

    manifests: tuple[Annotated[dict[str, Any], OBJECT], ...] = ()
    """Whole objects, as they are to be in the member."""


class WorkSpec(Model):
    """What a member is to have, and how it gets there."""

    workload: Workload = Workload()
    """The manifests to apply."""
    apply_strategy: ApplyStrategy | None = None
    """How they are applied."""
    report_back_strategy: Annotated[ReportBackStrategy | None, V1BETA1] = None
    """Where the status that the objects have in the member is reported."""


class WorkResourceIdentifier(Model):
    """Names an object of a Work."""

    ordinal: int
    """Place of its manifest in the Work, from 0."""
    group: str = ""
    """API group of the object; empty for the core group."""
    version: str = ""
    """API version of the object."""
    kind: str = ""
    """Kind of the object."""
    resource: str = ""
    """Plural name of the kind, as in the URL."""
    namespace: str = ""
    """Namespace of the object, if it has one."""
    name: str = ""
    """Name of the object."""


class BackReportedStatus(Model):
    """The status that an object has in the member."""

    observed_status: Annotated[Mapping[str, Any], OBJECT] = {}
    """`{apiVersion, kind, status}` as the member has it."""
    observation_time: Annotated[datetime | None, REQUIRED] = None
    """When it was seen."""


class DriftDetails(Model):
    """How an object was changed in the member."""

    observation_time: datetime
    """When it was last seen to differ."""
    first_drifted_observed_time: datetime
    """When it was first seen to differ."""
    observed_in_member_cluster_generation: Annotated[int, INT64]
    """Its generation in the member."""
    observed_drifts: tuple[PatchDetail, ...] = ()
    """The fields that differ."""


class DiffDetails(Model):
    """How an object in the member differs from its manifest."""

    observation_time: datetime
    """When it was last seen to differ."""
    first_diffed_observed_time: datetime
    """When it was first seen to differ."""
    observed_in_member_cluster_generation: Annotated[int | None, INT64] = None
    """Its generation in the member, where it is there."""
    observed_diffs: tuple[PatchDetail, ...] = ()
    """The fields that differ."""


class ManifestCondition(Model):
    """What became of one manifest."""

    identifier: WorkResourceIdentifier
    """The object of the manifest."""
    conditions: Annotated[tuple[Condition, ...], REQUIRED] = ()
    """Whether it is applied and available."""
    drift_details: DriftDetails | None = None
    """How it was changed in the member, if it was."""
    diff_details: DiffDetails | None = None
    """How it differs from the manifest, if it does."""
    back_reported_status: Annotated[BackReportedStatus | None, V1BETA1] = None
    """The status that it has in the member."""


class WorkStatus(Model):
    """What became of the manifests."""

    conditions: Annotated[tuple[Condition, ...], REQUIRED] = ()
    """Whether all of them are applied and available."""
    manifest_conditions: tuple[ManifestCondition, ...] = ()
    """What became of each."""


class Work(Resource):
    """Manifests for one member, in its namespace on the hub."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"

    spec: WorkSpec = WorkSpec()
    """What the member is to have."""
    status: WorkStatus = WorkStatus()
    """What became of it there."""


class AppliedWorkSpec(Model):
    """Which Work it is the record of."""

    work_name: str
    """Name of the Work on the hub."""
    work_namespace: str
    """Namespace of the Work on the hub."""


class AppliedResource(WorkResourceIdentifier):
    """An object that a Work applied."""

    uid: str = ""
    """Its UID in the member."""


class AppliedWorkStatus(Model):
    """What its Work applied."""

    applied_resources: tuple[AppliedResource, ...] = ()
    """The objects; one that leaves the Work is deleted by this record."""


class AppliedWork(Resource):
    """On the member, cluster-scoped; owns every object that its Work applied."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"
    NAMESPACED: ClassVar = False

    spec: AppliedWorkSpec
    """Which Work it is the record of."""
    status: AppliedWorkStatus = AppliedWorkStatus()
    """What that Work applied."""
