"""What a collector of properties is: a function of all that is seen of the member."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from member_agent.controllers.inventory.plan.observed import Observed


class Finding(NamedTuple):
    """What users hear, as a condition."""

    type: str
    truth: bool | None
    """None is unknown."""
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Collected:
    properties: Mapping[str, str] = field(default_factory=dict)
    """By name. What is to be compared is a quantity, as Kubernetes writes it."""
    findings: tuple[Finding, ...] = ()


Collector = Callable[[Observed], Collected]
