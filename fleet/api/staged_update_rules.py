"""What the API server refuses of staged updates: the rules and the words of KubeFleet's users."""

from typing import Final

from fleet.api.durations import PATTERN
from fleet.api.schema import ALPHA, STABLE, InVersions, Rule, Schema

_APPROVAL_WAITS: Final = Rule(
    "self.all(t, t.type != 'Approval' || !has(t.waitTime))",
    "AfterStageTaskType is Approval, waitTime is not allowed",
)
AFTER_STAGE: Final = InVersions(
    STABLE,
    Schema(
        rules=(
            _APPROVAL_WAITS,
            Rule(
                "self.all(t, t.type != 'TimedWait' || has(t.waitTime))",
                "AfterStageTaskType is TimedWait, waitTime is required",
            ),
        )
    ),
)
BEFORE_STAGE: Final = Schema(
    max_items=1,
    versions=STABLE,
    rules=(
        _APPROVAL_WAITS,
        Rule("self.all(t, t.type != 'TimedWait')", "BeforeStageTaskType cannot be TimedWait"),
    ),
)
CONCURRENCY: Final = Schema(
    filled=True,
    versions=STABLE,
    pattern=r"^(100|[1-9][0-9]?)%$",
    rules=(Rule("type(self) != int || self >= 1", "maxConcurrency must be at least 1"),),
)
WAIT: Final = InVersions(STABLE, Schema(pattern=PATTERN))
ALPHA_WAIT: Final = InVersions(
    ALPHA, Schema(pattern=r"^(?:0|(?:(?:0|[1-9][0-9]*)(\.[0-9]+)?(?:s|m|h))+)$")
)

NAME_RULES: Final = (
    Rule("size(self.metadata.name) <= 63", "metadata.name max length is 63", versions=STABLE),
    Rule("size(self.metadata.name) <= 127", "metadata.name max length is 127", versions=ALPHA),
)
FROZEN: Final = Rule("self == oldSelf", "The spec field is immutable")
RUN_RULES: Final = (
    Rule(FROZEN.rule, FROZEN.message, versions=ALPHA),
    *(
        Rule(
            f"!has(oldSelf.state) || oldSelf.state != '{old}' || self.state != '{new}'",
            f"invalid state transition: cannot transition from {old} to {new}",
            versions=STABLE,
        )
        for old, new in (("Initialize", "Stop"), ("Run", "Initialize"), ("Stop", "Initialize"))
    ),
)


def frozen(field: str) -> InVersions:
    """Keep a field as it was first written; where all of the spec is kept, it needs no rule."""
    return InVersions(STABLE, Schema(rules=(Rule("self == oldSelf", f"{field} is immutable"),)))
