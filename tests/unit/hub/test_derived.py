"""Whether a derived object is as it should be, when a server has filled in what it likes."""

from typing import Any

import pytest

from fleet.api import names
from fleet.api.core import ConfigMap
from hub.derived import as_wanted, holds, stamped


def wanted(**data: str) -> ConfigMap:
    metadata = {"name": "x", "namespace": "demo", "labels": {"a": "b"}, "annotations": {"c": "d"}}
    return ConfigMap.model_validate({"metadata": metadata, "data": data})


def live(**changes: Any) -> ConfigMap:
    """Give what `wanted(k="v")` is on a server, with changes."""
    body = wanted(k="v", **changes.pop("data", {})).manifest()
    body["metadata"]["annotations"] = stamped(wanted(k="v"))
    body["metadata"] |= {"uid": "u", "resourceVersion": "7"} | changes
    return ConfigMap.model_validate(body)


STAMP = stamped(wanted(k="v"))


@pytest.mark.parametrize(
    ("there", "same"),
    [
        (live(), True),
        (live(data={"filled": "in"}), True),
        (live(labels={"a": "b", "other": "x"}), True),
        (live(annotations=STAMP | {"other": "x"}), True),
        (live(labels={}), False),
        (live(annotations=STAMP | {"c": "changed"}), False),
        (live(annotations={"c": "d"}), False),
        (live(annotations=STAMP | {names.SPEC_HASH: "old"}), False),
        (None, False),
    ],
    ids=[
        "as written",
        "filled in",
        "another's label",
        "another's annotation",
        "without a label",
        "another annotation",
        "without a stamp",
        "written for something else",
        "not there",
    ],
)
def test_a_derived_object_is_as_wanted(there: ConfigMap | None, *, same: bool) -> None:
    assert as_wanted(there, wanted(k="v")) is same


def test_a_field_that_is_wanted_no_more_is_noticed() -> None:
    assert not as_wanted(live(), wanted())


@pytest.mark.parametrize(
    ("there", "asked", "held"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}, True),
        ({"a": [{"b": 1, "filled": 2}]}, {"a": [{"b": 1}]}, True),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({"a": [2, 1]}, {"a": [1, 2]}, False),
        ({"a": "x"}, {"a": {"b": 1}}, False),
        ({"a": "x"}, {"a": ["x"]}, False),
        ({}, {"a": None}, False),
    ],
)
def test_every_field_that_is_wanted_must_be_there(there: Any, asked: Any, *, held: bool) -> None:
    assert holds(there, asked) is held
