"""What KubeFleet's CRDs take, ours take, and what they refuse, ours refuse in the same words."""

from typing import Any, Final

import pytest

from tests.integration.api.judge import Judge
from tests.integration.api.rows import TAKEN, Row
from tests.integration.api.tables import (
    cluster_profile,
    envelope,
    eviction,
    override,
    staged_update,
)

TABLES: Final[Any] = (staged_update, override, eviction, envelope, cluster_profile)
ROWS: Final[list[Row]] = [row for table in TABLES for row in table.ROWS]
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_the_server_says_what_kubefleets_says(judge: Judge, row: Row) -> None:
    said = await judge.said(row)
    assert row.said in said
    assert (row.said == TAKEN) == (said == TAKEN)
