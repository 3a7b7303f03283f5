"""A log is one JSON object a line: when, who, what, of which object, and what the caller gave."""

import asyncio
import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from fleet.runtime.logs import JsonFormatter, about

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def line(message: str, *args: object, error: BaseException | None = None, **extra: Any) -> Any:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.getLogger("hub.part").makeRecord(
        "hub.part", logging.WARNING, __file__, 1, message, args, info, extra=extra
    )
    record.created = NOON.timestamp() + 0.25
    text = JsonFormatter().format(record)
    assert "\n" not in text
    return json.loads(text)


def test_a_line_says_who_how_bad_what_and_the_fields() -> None:
    assert line("placed %s", "phi", cluster="eu", replicas=2) == {
        "time": "2026-01-01T12:00:00.250Z",
        "level": "WARNING",
        "logger": "hub.part",
        "message": "placed phi",
        "cluster": "eu",
        "replicas": 2,
    }


def test_what_json_does_not_know_is_written_as_text() -> None:
    assert line("x", key=frozenset({"a"}))["key"] == "frozenset({'a'})"


def broken() -> None:
    raise LookupError("a bug\nin two lines")


def test_an_exception_comes_with_its_trace_on_the_same_line() -> None:
    with pytest.raises(LookupError) as caught:
        broken()
    found = line("failed", error=caught.value)
    assert found["trace"].startswith("Traceback (most recent call last):\n")
    assert found["trace"].endswith("LookupError: a bug\nin two lines")


async def test_what_is_logged_about_an_object_names_it_in_its_tasks_too() -> None:
    async def part() -> Any:
        await asyncio.sleep(0)
        return line("written")

    async def reconcile(key: str) -> Any:
        with about(controller="painter", key=key):
            return await asyncio.gather(part(), asyncio.create_task(part()))

    for key, said in zip("ab", await asyncio.gather(*map(reconcile, "ab")), strict=True):
        assert [(each["controller"], each["key"]) for each in said] == [("painter", key)] * 2
    assert "key" not in line("elsewhere")


def test_what_the_caller_says_stands_over_what_is_worked_on() -> None:
    with about(controller="painter", key="a"):
        assert line("x", key="b")["key"] == "b"
