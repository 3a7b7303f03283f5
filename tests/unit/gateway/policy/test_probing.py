"""News is believed at once, silence only when it lasts."""

import pytest

from gateway.policy.probing import Outcome, Verdict

UP, DOWN, SILENT = Outcome.UP, Outcome.DOWN, Outcome.SILENT


@pytest.mark.parametrize(
    ("heard", "up"),
    [
        ([], None),
        ([UP], True),
        ([DOWN], False),
        ([SILENT], None),
        ([SILENT, SILENT], False),
        ([UP, SILENT], True),
        ([UP, SILENT, SILENT], False),
        ([UP, SILENT, UP, SILENT], True),
        ([UP, SILENT, DOWN, UP, SILENT], True),
        ([DOWN, SILENT], False),
        ([SILENT, SILENT, SILENT, UP], True),
        ([UP, DOWN], False),
        ([DOWN, UP], True),
    ],
)
def test_a_row_of_probes_gives_a_verdict(heard: list[Outcome], up: bool | None) -> None:
    verdict = Verdict()
    for outcome in heard:
        verdict.heard(outcome)
    assert verdict.up is up
