"""Requests that go on while something else happens are all counted, the refused ones too."""

from cli.demo.traffic import Traffic
from fleet.testing.waiting import until
from tests.integration.cli.scripted import scripted
from tests.integration.cli.test_asking import ANSWER, BUSY, client_of


async def test_what_was_answered_and_what_was_refused_are_counted_until_the_block_ends() -> None:
    with scripted(ANSWER, BUSY, ANSWER) as server, client_of(server.url) as client:
        with Traffic(client, "phi") as traffic:
            await until(lambda: traffic.answered > 1)
        (refused,) = traffic.refused
        assert refused.status == 503
        assert len(server.heard) == traffic.answered + 1
