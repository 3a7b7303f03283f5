"""What the steps of a run share."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleet.api.binding import Binding
from fleet.api.placement import ApplyStrategy
from fleet.api.staged_update import Approval, RunState, UpdateRun
from fleet.engine.snapshots import Group
from hub.controllers.updaterun.plan.marks import Pen
from hub.controllers.updaterun.plan.selection import Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    run: UpdateRun
    pen: Pen
    selection: Selection
    group: Group
    """The resources that clusters get."""
    apply_strategy: ApplyStrategy | None
    stuck_after: timedelta
    approvals: Mapping[str, Approval]
    """By name."""
    approval_kind: type[Approval]

    @property
    def now(self) -> datetime:
        return self.pen.now

    @property
    def running(self) -> bool:
        """Whether more may be begun."""
        return self.run.spec.state is RunState.RUN

    @property
    def message(self) -> str:
        """What a binding says of what it is given."""
        return (
            f"The binding has been given resource snapshot {self.group.index} by update run"
            f" {self.run.name}"
        )

    def binding(self, cluster: str) -> Binding | None:
        return self.selection.chosen.get(cluster)
