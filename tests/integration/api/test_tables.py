"""What KubeFleet's CRDs take, ours take, and what they refuse, ours refuse in the same words."""

from typing import Any, Final

import pytest

from tests.integration.api.definitions import ROWS, rules, served
from tests.integration.api.judge import Judge
from tests.integration.api.rows import KNOWN, TAKEN, Row


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_the_server_says_what_kubefleets_says(judge: Judge, row: Row) -> None:
    said = await judge.said(row)
    assert row.said in said
    assert (row.said == TAKEN) == (said == TAKEN)


OTHERWISE: Final = {"to Rest", "that is Lost", "a whole number"}
"""States that we do not know, which leave in place what was read last; a number becomes text."""


def test_what_the_server_takes_we_read_and_would_write_the_same() -> None:
    for row in ROWS:
        model = KNOWN[row.manifest["kind"]].model
        stored = row.manifest["apiVersion"] == model.API and row.what not in OTHERWISE
        if stored and row.said == TAKEN and (row.change is None or row.subresource):
            whole = _given({**row.manifest, **(row.change or {})})
            assert model.model_validate(whole).manifest() == whole


def _given(value: Any) -> Any:
    """Leave out of a row what it says is not there."""
    match value:
        case dict():
            return {name: _given(item) for name, item in value.items() if item is not None}
        case list():
            return [_given(item) for item in value]
        case _:
            return value


def test_every_rule_is_met_from_both_sides() -> None:
    """By the words of its refusal, and by an object of the same kind that is taken."""
    refused = "\n".join(row.said for row in ROWS)
    taken = {served(row) for row in ROWS if not row.said}
    for kind, messages in rules().items():
        assert kind in taken
        for message in messages:
            assert message in refused
