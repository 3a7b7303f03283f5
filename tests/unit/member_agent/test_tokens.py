"""The agent's token: renewed in time and in place, told of when it is not, and never told."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from fleet.api.objects import Key
from fleet.kube.errors import ForbiddenError, TransientError
from fleet.kube.tokens import Life, life_of
from fleet.runtime.secret_files import write
from fleet.testing.client import FakeClient
from fleet.testing.tokens import AGENT, NOON, signed
from fleet.testing.waiting import until
from member_agent.tokens import Renewal

DAY = 24 * 3600
MEND = "made by: modelfleet join us --renew"
EXPIRED = "the token for the hub expired at 2026-01-02T12:00:00+00:00"


class Signer(FakeClient):
    """A hub that signs tokens while it is there, and while it wants to."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.error = NOON, None
        self.asked = list[tuple[Key, int]]()

    error: Exception | None

    @override
    async def request_token(self, account: Key, seconds: int) -> str:
        if self.error:
            raise self.error
        self.asked.append((account, seconds))
        return signed(self.now, seconds)


class Desk:
    """A token in a file, and the time that a test gives."""

    def __init__(self, path: Path, token: str | None = None) -> None:
        self.hub, self.path = Signer(), path
        if token != "":
            path.write_text((token or signed()) + "\n", encoding="utf-8")
        self.renewal = Renewal(client=self.hub, path=path, clock=lambda: self.hub.now)

    async def at(self, hours: float) -> float:
        self.hub.now = NOON + timedelta(hours=hours)
        return await self.renewal.step()

    @property
    def life(self) -> Life:
        found = life_of(self.path.read_text(encoding="utf-8").strip())
        assert found
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "token")


async def test_a_token_is_renewed_at_four_fifths_of_its_life(desk: Desk) -> None:
    assert await desk.at(hours=0) == 10
    assert await desk.at(hours=19.199) == pytest.approx(3.6)
    assert desk.hub.asked == []
    await desk.at(hours=19.2)
    assert desk.hub.asked == [(AGENT, DAY)]
    assert desk.life.issued == NOON + timedelta(hours=19.2)
    assert await desk.at(hours=20) == 10


async def test_an_agent_that_slept_renews_at_once_while_its_token_still_lives(desk: Desk) -> None:
    await desk.at(hours=23.9)
    assert desk.life.issued == NOON + timedelta(hours=23.9)


async def test_a_short_life_is_asked_for_no_shorter_than_the_server_signs(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "token", signed(seconds=60))
    await desk.at(hours=1)
    assert desk.hub.asked == [(AGENT, 600)]


async def test_a_token_is_written_for_its_owner_alone_and_leaves_nothing_beside_it(
    desk: Desk,
) -> None:
    desk.path.chmod(0o644)
    await desk.at(hours=20)
    assert desk.path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in desk.path.parent.iterdir()] == ["token"]


@pytest.mark.parametrize(
    ("hours", "error", "told"),
    [
        (20, TransientError("connection refused"), "the token for the hub could not be renewed"),
        (
            20,
            ForbiddenError("not allowed"),
            "the hub refuses to renew the token",
        ),
        (
            25,
            ForbiddenError("Unauthorized"),
            EXPIRED,
        ),
        (
            25,
            TransientError("connection refused"),
            EXPIRED,
        ),
    ],
    ids=["away", "refused", "expired", "expired and away"],
)
async def test_a_token_that_is_not_renewed_is_told_with_what_mends_it(
    desk: Desk, caplog: pytest.LogCaptureFixture, hours: float, error: Exception, told: str
) -> None:
    desk.hub.error = error
    assert await desk.at(hours=hours) == 10
    (record,) = caplog.records
    said, _, mend = record.getMessage().partition("; ")
    assert (record.levelname, said) == ("WARNING", told)
    if not isinstance(error, TransientError) or said == EXPIRED:
        assert mend.endswith(MEND)
        assert str(desk.path) in mend
    assert vars(record)["why"] == str(error)
    assert desk.life.issued == NOON
    desk.hub.error = None
    await desk.at(hours=hours)
    assert desk.life.issued == desk.hub.now


async def test_an_account_of_somebody_else_s_namespace_is_named_with_kubectl(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(tmp_path / "token", signed(sub="system:serviceaccount:agents:us"))
    desk.hub.error = ForbiddenError("not allowed")
    await desk.at(hours=20)
    make = "kubectl --namespace=agents create token us --duration=24h"
    assert caplog.records[0].getMessage().endswith(f"made on the hub by: {make}")


async def test_the_agent_renews_by_itself(desk: Desk) -> None:
    desk.hub.now = NOON + timedelta(hours=20)
    running = asyncio.create_task(desk.renewal.run())
    await until(lambda: desk.life.issued == desk.hub.now)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_a_token_that_somebody_else_put_there_is_taken(desk: Desk) -> None:
    desk.hub.error = ForbiddenError("Unauthorized")
    await desk.at(hours=25)
    write(desk.path, signed(NOON + timedelta(hours=25)))
    assert await desk.at(hours=25) == 10


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"opaque"])
async def test_a_file_that_holds_no_token_is_looked_at_again(
    tmp_path: Path, content: bytes | None
) -> None:
    desk = Desk(tmp_path / "token", "")
    if content is not None:
        desk.path.write_bytes(content)
    assert await desk.at(hours=0) == 10
    desk.path.write_text(signed(), encoding="utf-8")
    await desk.at(hours=20)
    assert desk.hub.asked


@pytest.mark.parametrize("error", [None, ForbiddenError("no"), TransientError("away")])
async def test_no_token_appears_in_the_log(
    desk: Desk, caplog: pytest.LogCaptureFixture, error: Exception | None
) -> None:
    old = desk.path.read_text(encoding="utf-8").strip()
    desk.hub.error = error
    with caplog.at_level(logging.DEBUG):
        await desk.at(hours=25)
    new = desk.path.read_text(encoding="utf-8").strip()
    said = " ".join(str(vars(record)) for record in caplog.records)
    assert said
    for token in (old, new):
        for part in token.split("."):
            assert part not in said
    assert old not in repr(desk.renewal)


async def test_a_token_of_another_member_is_told_of_once(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    for cluster in ("us", "eu"):
        desk.renewal = replace(desk.renewal, cluster=cluster)
        await desk.at(hours=0)
        await desk.at(hours=1)
    (record,) = caplog.records
    assert record.message.startswith("the token for the hub is another member's")
    assert vars(record)["why"] == "it is of us, and we are eu"
    assert "modelfleet join eu --renew" in vars(record)["way_out"]
