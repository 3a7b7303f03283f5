"""How a placement reaches its clusters: rollout, apply, deletion, status reports."""

from typing import Annotated, Final, Literal

from fleet.api.objects import Model
from fleet.api.schema import FILLED, V1BETA1, Rule, Schema

_SHARE: Final = Schema(filled=True, pattern=r"^((100|[0-9]{1,2})%|[0-9]+)$")
_STAYS_EXTERNAL: Final = Rule(
    "!(oldSelf == 'External' && self != 'External')",
    "cannot change rollout strategy type from 'External' to other types",
)
_HAS_DESTINATION: Final = Rule(
    "self.type != 'Mirror' || has(self.destination)",
    "when reportBackStrategy.type is 'Mirror', a destination must be specified",
)


class ServerSideApplyConfig(Model):
    """How server-side apply treats fields of others."""

    force: bool = False
    """Whether to take fields over from other managers."""


class ApplyStrategy(Model):
    """How objects are applied in members."""

    type: Annotated[Literal["ClientSideApply", "ServerSideApply", "ReportDiff"], FILLED] = (
        "ClientSideApply"
    )
    """How to apply; ReportDiff changes nothing and reports what would change."""
    comparison_option: Annotated[Literal["PartialComparison", "FullComparison"], FILLED] = (
        "PartialComparison"
    )
    """Whether only the fields of the manifest are compared with the member's object, or all."""
    when_to_apply: Annotated[Literal["Always", "IfNotDrifted"], FILLED] = "Always"
    """Whether an object that was changed in the member is overwritten."""
    when_to_take_over: Annotated[Literal["Always", "IfNoDiff", "Never"], FILLED] = "Always"
    """Whether an object that is already in the member becomes the placement's."""
    allow_co_ownership: bool = False
    """Whether objects may have other owners beside the placement."""
    server_side_apply_config: ServerSideApplyConfig | None = None
    """Settings of ServerSideApply."""


class RollingUpdate(Model):
    """How many clusters change at a time."""

    max_unavailable: Annotated[int | str, _SHARE] = "25%"
    """How many of the clusters may be without the placement meanwhile; a number or a percentage."""
    max_surge: Annotated[int | str, _SHARE] = "25%"
    """How many clusters more than wanted may have it meanwhile; a number or a percentage."""
    unavailable_period_seconds: Annotated[int, FILLED, Schema(minimum=0)] = 60
    """How long to wait for objects whose readiness cannot be told, in seconds."""


class DeleteStrategy(Model):
    """What becomes of placed objects when the placement is deleted."""

    propagation_policy: Annotated[
        Literal["Delete", "Abandon"], FILLED, Schema(enum=("Abandon", "Delete"))
    ] = "Delete"
    """Delete removes them from the members; Abandon leaves them there."""


class ReportBackStrategy(Model):
    """Where the status that objects have in members is reported on the hub."""

    type: Annotated[Literal["Disabled", "Mirror"], FILLED, Schema(required=True)] = "Disabled"
    """Mirror copies the status to the destination."""
    destination: Literal["OriginalResource", "WorkAPI"] | None = None
    """OriginalResource is the object on the hub, WorkAPI the Work."""


class Strategy(Model):
    """How a placement reaches its clusters."""

    type: Annotated[
        Literal["RollingUpdate", "External"], FILLED, Schema(rules=(_STAYS_EXTERNAL,))
    ] = "RollingUpdate"
    """Who rolls changes out: the placement itself, or update runs (External)."""
    rolling_update: RollingUpdate | None = None
    """Settings of RollingUpdate."""
    apply_strategy: ApplyStrategy | None = None
    """How objects are applied in members."""
    delete_strategy: Annotated[DeleteStrategy | None, V1BETA1] = None
    """What becomes of placed objects when the placement is deleted."""
    report_back_strategy: Annotated[
        ReportBackStrategy | None, V1BETA1, Schema(rules=(_HAS_DESTINATION,))
    ] = None
    """Where the status that objects have in members is reported on the hub."""
