"""What users hear of a member, in KubeFleet's words where it has them."""

from typing import Final

from fleet.api.conditions import ConditionStatus
from fleet.api.happenings import Happening, Turn
from hub.controllers.membership.status import GATEWAY_ADDRESS

TURNS: Final = (
    Turn(type="ReadyToJoin", status=ConditionStatus.TRUE),
    Turn(type="Joined", status=ConditionStatus.TRUE),
    Turn(type="Joined", status=ConditionStatus.FALSE),
    Turn(
        type="Joined",
        status=ConditionStatus.UNKNOWN,
        after=ConditionStatus.TRUE,
        told_as="MemberClusterUnknown",
        warning=True,
    ),
    Turn(type="SoleCluster", status=ConditionStatus.FALSE, warning=True),
    Turn(type=GATEWAY_ADDRESS, status=ConditionStatus.FALSE, warning=True),
    Turn(type=GATEWAY_ADDRESS, status=ConditionStatus.TRUE),
)
SILENT: Final = Happening(
    "MemberClusterSilent",
    "The member has missed its heartbeats: see its agent and its way to the hub",
    warning=True,
)
BACK: Final = Happening("MemberClusterBack", "The member's heartbeats are back")
