"""Work: manifests for one member, and AppliedWork, the record of what became of them there."""

from datetime import datetime
from typing import Any, ClassVar

from fleet.api.conditions import Condition
from fleet.api.objects import Model, Resource
from fleet.api.placement import ApplyStrategy, ReportBackStrategy


class Workload(Model):
    manifests: tuple[dict[str, Any], ...] = ()


class WorkSpec(Model):
    workload: Workload = Workload()
    apply_strategy: ApplyStrategy | None = None
    report_back_strategy: ReportBackStrategy | None = None


class WorkResourceIdentifier(Model):
    ordinal: int
    group: str = ""
    version: str = ""
    kind: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""


class BackReportedStatus(Model):
    observed_status: dict[str, Any] = {}
    """`{apiVersion, kind, status}` as the member has it."""
    observation_time: datetime | None = None


class ManifestCondition(Model):
    identifier: WorkResourceIdentifier
    conditions: tuple[Condition, ...] = ()
    back_reported_status: BackReportedStatus | None = None


class WorkStatus(Model):
    conditions: tuple[Condition, ...] = ()
    manifest_conditions: tuple[ManifestCondition, ...] = ()


class Work(Resource):
    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"

    spec: WorkSpec = WorkSpec()
    status: WorkStatus = WorkStatus()


class AppliedWorkSpec(Model):
    work_name: str
    work_namespace: str


class AppliedResource(WorkResourceIdentifier):
    uid: str = ""


class AppliedWorkStatus(Model):
    applied_resources: tuple[AppliedResource, ...] = ()


class AppliedWork(Resource):
    """On the member, cluster-scoped; owns every object that its Work applied."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"
    NAMESPACED: ClassVar = False

    spec: AppliedWorkSpec
    status: AppliedWorkStatus = AppliedWorkStatus()
