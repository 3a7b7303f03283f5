"""The picture of a run in the documentation has every way that a run goes, and no other."""

import re
from collections.abc import Callable
from itertools import pairwise, product
from pathlib import Path
from typing import Any

from typing_extensions import override

from hub.controllers.updaterun.plan.actions import Plan
from hub.controllers.updaterun.plan.marks import Reason
from hub.controllers.updaterun.status import PENDING, standing
from tests.unit.hub.controllers.updaterun.story import APPROVAL, Story, stage, timed

DOCUMENT = Path(__file__).parents[5] / "docs" / "rollouts.md"
PREFIX = "UpdateRun"
THROUGH = "UnderWay"
"""A step may pass through several of its states."""
Way = tuple[str, str]
ONE = {"us": {"env": "prod"}}
TWO = {"eu": {"env": "prod"}, "us": {"env": "prod"}}


class Seen(Story):
    """A story that notes how its run stands after each step."""

    def __init__(self, *stages: dict[str, Any], **more: Any) -> None:
        super().__init__(*stages, **more)
        self.stood = [PENDING]

    @override
    def step(self) -> Plan:
        planned = super().step()
        if self.run and standing(self.run) != self.stood[-1]:
            self.stood.append(standing(self.run))
        return planned

    @property
    def ways(self) -> set[Way]:
        names = ["[*]", *(reason.removeprefix(PREFIX) for reason in self.stood[1:])]
        return set(pairwise(names))


def waits_and_ends() -> Seen:
    tasks = {"beforeStageTasks": [APPROVAL], "afterStageTasks": [timed("1h")]}
    story = Seen(stage("prod", **tasks), clusters=ONE)
    story.goes_on()
    story.approves("upgrade-before-prod")
    story.goes_on()
    story.answers("us")
    story.goes_on()
    story.passes(hours=1)
    story.goes_on()
    return story


def is_stuck_and_goes_on() -> Seen:
    story = Seen(stage("prod"), clusters=TWO, stuckThreshold="1m")
    story.goes_on()
    story.passes(minutes=2)
    story.goes_on()
    story.answers("eu")
    story.goes_on()
    story.answers("us")
    story.goes_on()
    return story


def stops_and_goes_on() -> Seen:
    story = Seen(stage("prod"), clusters=TWO)
    story.goes_on()
    story.is_to("Stop")
    story.goes_on()
    story.answers("eu")
    story.goes_on()
    story.is_to("Run")
    story.goes_on()
    return story


def fails() -> Seen:
    story = Seen(stage("prod"), clusters=ONE)
    story.goes_on()
    story.joins("eu", {"env": "prod"})
    story.goes_on()
    return story


def fails_while_it_stops() -> Seen:
    story = Seen(stage("prod"), clusters=ONE)
    story.goes_on()
    story.is_to("Stop")
    story.goes_on()
    story.joins("eu", {"env": "prod"})
    story.goes_on()
    return story


def cannot_be_planned() -> Seen:
    story = Seen(stage("canary"), clusters=ONE)
    story.goes_on()
    return story


STORIES: tuple[Callable[[], Seen], ...] = (
    waits_and_ends,
    is_stuck_and_goes_on,
    stops_and_goes_on,
    fails,
    fails_while_it_stops,
    cannot_be_planned,
)


class Picture:
    """The states and arrows as they are drawn."""

    def __init__(self, text: str) -> None:
        (drawn,) = re.findall(r"```mermaid\n(stateDiagram.*?)```", text, re.DOTALL)
        inside = re.findall(r"as (\w+) \{(.*?)\n  \}", drawn, re.DOTALL)
        self.groups = {name: re.findall(r"\" as (\w+)\n", states) for name, states in inside}
        found = re.findall(r"^ +(\S+) --> ([\w*\[\]]+)", drawn, re.MULTILINE)
        self.arrows = {(one, other) for one, other in found if other != "[*]"}
        self.states = dict(re.findall(rf"<b>{PREFIX}(\w+)</b>\" as (\w+)", drawn))

    def ways(self, arrow: Way) -> set[Way]:
        """Give what an arrow from or to several states stands for."""
        return set(product(*(self.groups.get(end, [end]) for end in arrow)))

    def allows(self, way: Way) -> bool:
        known = {each for arrow in self.arrows for each in self.ways(arrow)}
        between = self.groups[THROUGH]
        return way in known or any({(way[0], b), (b, way[1])} <= known for b in between)


def test_the_picture_has_every_way_of_a_run_and_no_other() -> None:
    picture = Picture(DOCUMENT.read_text(encoding="utf-8"))
    seen = {way for story in STORIES for way in story().ways}
    assert {way for way in seen if not picture.allows(way)} == set()
    assert {arrow for arrow in picture.arrows if not picture.ways(arrow) & seen} == set()


def test_the_picture_names_every_reason_of_a_run() -> None:
    picture = Picture(DOCUMENT.read_text(encoding="utf-8"))
    reasons = {reason.removeprefix(PREFIX) for reason in Reason if reason.startswith(PREFIX)}
    assert picture.states == {reason: reason for reason in reasons}
