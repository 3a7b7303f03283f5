"""Who waits for a server that was away is woken once it answers, and by nothing less."""

import asyncio

import pytest

from fleet.kube.answering import Answering
from tests.unit.fleet.kube.virtual import in_virtual_time

LOST, BROKEN, WELL = "lost", "broken", "well"


@pytest.mark.parametrize(
    ("heard", "woken"),
    [
        ([(20, LOST), (40, WELL)], 40.0),
        ([(20, BROKEN), (40, WELL)], 40.0),
        ([(20, LOST), (21, BROKEN), (40, WELL), (41, LOST), (42, WELL)], 40.0),
        ([(20, WELL), (40, WELL)], 60.0),
        ([(20, WELL), (21, LOST), (22, WELL), (23, LOST), (24, WELL)], 60.0),
        ([(20, LOST), (40, LOST)], 60.0),
    ],
    ids=["away", "not well", "once", "never lost", "one connection of many", "still away"],
)
def test_an_answer_wakes_who_waits_where_there_was_none_for_a_while(
    heard: list[tuple[float, str]], woken: float
) -> None:
    async def body() -> None:
        loop = asyncio.get_running_loop()
        answering = Answering(loop.time)

        def hear(what: str) -> None:
            if what == LOST:
                answering.lose()
            else:
                answering.hear(well=what == WELL)

        for when, what in heard:
            loop.call_at(when, hear, what)
        await answering.wait(60.0)
        assert loop.time() == woken

    in_virtual_time(body())
