"""The token that outlives its pod: file and Secret agree on the one that lives longer."""

import base64
import logging
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from typing_extensions import override

from fleet.api.core import Secret
from fleet.api.objects import Key, Metadata, Resource
from fleet.kube.errors import ForbiddenError
from fleet.testing.client import FakeClient
from fleet.testing.tokens import NOON, signed
from member_agent.token_secret import TokenSecret, newest
from member_agent.tokens import Renewal

R = TypeVar("R", bound=Resource)
KEY = Key("modelfleet-system", "modelfleet-hub-token")
OLD, NEW = signed(), signed(NOON + timedelta(hours=20))
OPAQUE = "opaque"


class Member(FakeClient):
    """A member whose API server may refuse to show its Secrets."""

    shut = False

    def hold(self, token: str, name: str = "token") -> None:
        data = {name: base64.b64encode(token.encode()).decode()}
        self.put(Secret(metadata=Metadata(name=KEY.name, namespace=KEY.namespace), data=data))

    @property
    def token(self) -> str:
        (secret,) = self.all(Secret)
        return base64.b64decode(secret.data["token"]).decode()

    @override
    async def get(self, model: type[R], key: Key) -> R | None:
        if self.shut:
            raise ForbiddenError("secrets is forbidden")
        return await super().get(model, key)


class Hub(FakeClient):
    @override
    async def request_token(self, account: Key, seconds: int) -> str:
        return NEW


class Pod:
    """An agent's pod: its file is gone when the pod is."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def hold(self, token: str) -> None:
        self.path.write_text(token, encoding="utf-8")

    @property
    def token(self) -> str:
        return self.path.read_text(encoding="utf-8")


@pytest.fixture
def member() -> Member:
    return Member()


@pytest.fixture
def pod(tmp_path: Path) -> Pod:
    return Pod(tmp_path / "token")


def renewal(member: Member, pod: Pod, hours: float = 0) -> Renewal:
    secret, now = TokenSecret(member, KEY), NOON + timedelta(hours=hours)
    return Renewal(client=Hub(), path=pod.path, clock=lambda: now, secret=secret)


@pytest.mark.parametrize(
    ("file", "stored", "chosen"),
    [
        ("", "", ""),
        (OLD, "", OLD),
        ("", OLD, OLD),
        (OLD, NEW, NEW),
        (NEW, OLD, NEW),
        (OLD, OLD, OLD),
        (OLD, OPAQUE, OLD),
        (OPAQUE, OLD, OLD),
        ("another", OPAQUE, OPAQUE),
    ],
)
def test_the_token_that_lives_longer_is_chosen(file: str, stored: str, chosen: str) -> None:
    assert newest(file, stored) == chosen


async def test_a_pod_that_has_no_file_yet_begins_with_its_secret(member: Member, pod: Pod) -> None:
    member.hold(OLD)
    assert await renewal(member, pod).settle() == OLD
    assert pod.token == OLD


async def test_a_renewed_token_outlives_the_pod(member: Member, pod: Pod, tmp_path: Path) -> None:
    member.hold(OLD)
    await renewal(member, pod, hours=20).step()
    assert (pod.token, member.token) == (NEW, NEW)
    restarted = Pod(tmp_path / "another-pod")
    await renewal(member, restarted, hours=20).settle()
    assert restarted.token == NEW


async def test_a_token_that_somebody_puts_into_the_secret_is_taken_up(
    member: Member, pod: Pod
) -> None:
    pod.hold(OLD)
    member.hold(NEW)
    assert await renewal(member, pod, hours=25).step() == 10
    assert pod.token == NEW


async def test_what_a_crash_kept_from_the_secret_is_put_there_later(
    member: Member, pod: Pod
) -> None:
    pod.hold(NEW)
    member.hold(OLD)
    await renewal(member, pod).settle()
    assert member.token == NEW


@pytest.mark.parametrize("name", ["token", "other"], ids=["a word", "no token"])
async def test_a_secret_that_holds_no_token_of_ours_stays_as_it_is(
    member: Member, pod: Pod, name: str
) -> None:
    pod.hold(OLD)
    member.hold(OPAQUE, name)
    before = member.all(Secret)
    assert await renewal(member, pod).settle() == OLD
    assert member.all(Secret) == before


async def test_without_its_secret_an_agent_goes_on_by_its_file_and_makes_none(
    member: Member, pod: Pod
) -> None:
    pod.hold(OLD)
    assert await renewal(member, pod).settle() == OLD
    assert member.all(Secret) == []


@pytest.mark.parametrize("shut", [True, False], ids=["not to be read", "not to be written"])
async def test_a_member_that_refuses_is_told_of_without_the_token(
    member: Member, pod: Pod, shut: bool, caplog: pytest.LogCaptureFixture
) -> None:
    pod.hold(OLD)
    member.hold(OLD)
    member.shut, member.writes_left = shut, 0
    with caplog.at_level(logging.DEBUG):
        await renewal(member, pod, hours=20).step()
    assert pod.token == NEW
    warned = [record for record in caplog.records if record.levelname == "WARNING"]
    assert {vars(record)["secret"] for record in warned} == {str(KEY)}
    for part in (*OLD.split("."), *NEW.split("."), base64.b64encode(NEW.encode()).decode()):
        assert part not in " ".join(str(vars(record)) for record in caplog.records)


async def test_an_expired_token_is_told_of_with_the_command_that_mends_it(
    member: Member, pod: Pod, caplog: pytest.LogCaptureFixture
) -> None:
    class Refusing(FakeClient):
        @override
        async def request_token(self, account: Key, seconds: int) -> str:
            raise ForbiddenError("Unauthorized")

    member.hold(OLD)
    late = NOON + timedelta(hours=25)
    secret = TokenSecret(member, KEY)
    agent = Renewal(client=Refusing(), path=pod.path, clock=lambda: late, secret=secret)
    assert await agent.step() == 10
    mend = f"modelfleet join us --renew --kubeconfig FILE, which puts another into {KEY}"
    assert caplog.records[-1].getMessage().endswith(mend)
