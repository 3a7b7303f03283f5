"""Whatever clients and upstreams send, nothing breaks and nothing of it stays."""

import pytest

from tests.gateway_fuzz import run


@pytest.mark.parametrize("seed", [1, 2])
async def test_nonsense_from_either_side_leaves_nothing_behind(seed: int) -> None:
    await run(300, seed)
