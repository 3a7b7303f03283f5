"""What is read of a local fleet: its agents' tokens, and whether its hub runs."""

from datetime import timedelta
from pathlib import Path

import pytest

from cli.doctor.facts import HubFacts
from cli.doctor.surroundings import tokens, with_program
from cli.local.credentials import Credentials
from cli.local.registry import Registry
from cli.local.topology import Fleet
from fleet.testing.tokens import NOON, signed


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Registry(tmp_path).create("doctored", ("us", "eu"))


def test_a_token_s_end_is_read_where_there_is_one(fleet: Fleet) -> None:
    secrets = Credentials(fleet.secrets)
    secrets.create()
    secrets.agent_token("us").write_text(signed(), encoding="utf-8")
    secrets.agent_token("eu").write_text("opaque", encoding="utf-8")
    assert tokens(fleet) == {"us": NOON + timedelta(days=1)}


async def test_a_hub_that_nobody_started_does_not_run(fleet: Fleet) -> None:
    seen = await with_program(HubFacts(where="https://127.0.0.1"), fleet)
    assert seen.program is False
