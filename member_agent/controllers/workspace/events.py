"""What users hear of a Workspace on its member, in KAITO's words where it has them."""

from typing import Final

from fleet.api.conditions import ConditionStatus
from fleet.api.happenings import Turn
from member_agent.controllers.workspace.plan.workload import SUCCEEDED
from member_agent.controllers.workspace.status import CLAIMS, INFERENCE, NODES, RESOURCE
from member_agent.controllers.workspace.status.nodes import Reason as Nodes
from member_agent.controllers.workspace.status.pods import Reason as Pods

TRUE, FALSE = ConditionStatus.TRUE, ConditionStatus.FALSE
TROUBLES: Final = frozenset(Pods) - {Pods.PENDING, Pods.READY, Pods.UPDATING}
TURNS: Final = (
    Turn(type=CLAIMS, status=TRUE),
    Turn(type=CLAIMS, status=FALSE, reasons=frozenset({Nodes.NO_CAPACITY}), warning=True),
    Turn(type=NODES, status=FALSE, after=TRUE, warning=True),
    Turn(type=RESOURCE, status=TRUE, told_as="ResourceReady"),
    Turn(type=INFERENCE, status=TRUE, told_as="InferenceReady"),
    Turn(type=INFERENCE, status=FALSE, reasons=frozenset({Pods.UPDATING})),
    Turn(type=INFERENCE, status=FALSE, reasons=TROUBLES, warning=True),
    Turn(type=INFERENCE, status=FALSE, reasons=frozenset({Pods.PENDING}), after=TRUE, warning=True),
    Turn(type=SUCCEEDED, status=FALSE, reasons=frozenset({"workspaceFailed"}), warning=True),
)
