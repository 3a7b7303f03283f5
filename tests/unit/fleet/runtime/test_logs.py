"""A log is one JSON object a line, with the fields that the caller gave."""

import json
import logging
from typing import Any

import pytest

from fleet.runtime.logs import JsonFormatter


def line(message: str, *args: object, error: BaseException | None = None, **extra: Any) -> Any:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.getLogger("hub.part").makeRecord(
        "hub.part", logging.WARNING, __file__, 1, message, args, info, extra=extra
    )
    text = JsonFormatter().format(record)
    assert "\n" not in text
    return json.loads(text)


def test_a_line_says_who_how_bad_what_and_the_fields() -> None:
    assert line("placed %s", "phi", cluster="eu", replicas=2) == {
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
