"""What users hear of a placement, in KubeFleet's words where it has them. Pure."""

from collections.abc import Iterator

from fleet.api.conditions import ConditionStatus, find
from fleet.api.happenings import Happening, Turn, happenings
from fleet.api.placement import Placement, PlacementStatus

TRUE, FALSE = ConditionStatus.TRUE, ConditionStatus.FALSE
STARTED = "PlacementRolloutStarted"


def told(placement: Placement, new: PlacementStatus) -> Iterator[Happening]:
    """Compare what a placement said with what it says now."""
    old, kind = placement.status, placement.kind()
    yield from happenings(old.conditions, new.conditions, _turns(kind))
    started = find(new.conditions, f"{kind}RolloutStarted")
    before = find(old.conditions, f"{kind}RolloutStarted")
    other = old.observed_resource_index != new.observed_resource_index
    if started and started.true and (other or not (before and before.true)):
        number = new.observed_resource_index
        text = f"{started.message}: resource snapshot {number}" if number else started.message
        yield Happening(STARTED, text)


def _turns(kind: str) -> Iterator[Turn]:
    yield Turn(type=f"{kind}Scheduled", status=FALSE, warning=True)
    yield Turn(type=f"{kind}ResourcesSelected", status=FALSE, warning=True)
    yield Turn(type=f"{kind}Overridden", status=FALSE, warning=True)
    yield Turn(type=f"{kind}WorkSynchronized", status=FALSE, warning=True)
    yield Turn(type=f"{kind}Applied", status=FALSE, warning=True)
    yield Turn(type=f"{kind}Applied", status=TRUE, told_as="PlacementApplied")
    yield Turn(type=f"{kind}Available", status=FALSE, warning=True)
    yield Turn(type=f"{kind}Available", status=TRUE, told_as="PlacementRolloutCompleted")
