"""Gateways get what they know each other by, and never too early and never twice."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.api import names
from fleet.api.cluster import MemberCluster
from fleet.api.core import Secret
from fleet.api.keys import Key
from fleet.api.work import Work
from fleet.kube.errors import ConflictError
from fleet.kube.queue import WorkQueue
from fleet.testing.workloads import member
from hub.certificates import read
from hub.controllers.gateway_credentials.handlers import SHARED
from tests.unit.hub.controllers.gateway_credentials.office import (
    DAY,
    HUB,
    RULES,
    Office,
    certificates,
)

HOUR = timedelta(hours=1)


async def test_a_member_that_has_joined_gets_a_certificate_and_the_credential() -> None:
    office = Office("eu")
    await office.settle()
    tls, accepted = office.delivered("eu")
    said = office.certificate("eu")
    assert said.names == {
        "eu.example",
        "modelfleet-gateway",
        "modelfleet-gateway.modelfleet-system",
        "modelfleet-gateway.modelfleet-system.svc",
        "modelfleet-gateway.modelfleet-system.svc.cluster.local",
    }
    assert said.until == office.now + RULES.certificate
    assert accepted == office.lines
    (authority,) = certificates(tls["ca.crt"])
    assert said.issuer_id == authority.key_id
    assert [each.key_id for each in office.bundle] == [authority.key_id]
    assert set(office.secret("modelfleet-gateway-tls")) == {"ca.crt", "tls.crt", "tls.key"}


async def test_a_work_makes_the_namespace_and_says_whose_it_is() -> None:
    office = Office("eu")
    await office.settle()
    work = office.work("eu")
    assert work is not None
    assert work.metadata.annotations[names.ENSURE_NAMESPACE] == "true"
    assert work.metadata.labels[names.GATEWAY_IDENTITY] == "true"
    assert {m["metadata"]["namespace"] for m in work.spec.workload.manifests} == {HUB}


async def test_the_global_gateway_gets_a_certificate_for_what_its_clients_call_it() -> None:
    office = Office()
    await office.settle()
    said = read(office.secret("modelfleet-gateway-tls")["tls.crt"])
    assert said is not None
    assert {"models.example", "10.0.0.9", f"modelfleet-gateway.{HUB}.svc"} <= said.names


async def test_who_has_not_joined_or_leaves_is_given_nothing() -> None:
    office = Office()
    office.client.put(member("eu"))
    await office.settle()
    assert office.work("eu") is None
    office.join("us")
    await office.settle()
    (version,) = (w.metadata.resource_version for w in office.client.all(Work))
    office.leave("us")
    await office.pass_time(8 * DAY)
    (there,) = (w.metadata.resource_version for w in office.client.all(Work))
    assert there == version


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://new.example:8443/v1", "new.example"),
        ("https://10.1.2.3/v1", "10.1.2.3"),
        ("https://[fd00::1]:8443/v1", "fd00::1"),
        ("https://bücher.example/v1", "xn--bcher-kva.example"),
        ("https://*.example/v1", ""),
        ("https://NEW.example.:8443/v1", "new.example"),
        ("https://[bad/v1", ""),
        ("nonsense", ""),
    ],
)
async def test_a_gateway_that_moves_gets_a_certificate_for_its_new_host(
    url: str, host: str
) -> None:
    office = Office("eu")
    await office.settle()
    before = office.certificate("eu")
    office.join("eu", url)
    await office.settle()
    after = office.certificate("eu")
    assert after.key_id != before.key_id
    assert after.names - before.names == ({host} if host else set())
    assert "eu.example" not in after.names


async def test_a_certificate_is_made_anew_after_two_thirds_of_its_life_and_not_before() -> None:
    office = Office("eu")
    await office.settle()
    first = office.certificate("eu")
    await office.pass_time(6 * DAY - HOUR)
    assert office.certificate("eu") == first
    await office.pass_time(HOUR)
    second = office.certificate("eu")
    assert second.key_id != first.key_id
    assert second.until == office.now + RULES.certificate


async def test_a_certificate_is_signed_again_when_its_authority_is_lost() -> None:
    office = Office("eu")
    await office.settle()
    await office.client.delete(_named(office, "modelfleet-gateway-authority"))
    await office.settle()
    (authority,) = office.bundle
    assert office.certificate("eu").issuer_id == authority.key_id


async def test_an_authority_is_trusted_for_the_overlap_before_it_signs() -> None:
    office = Office("eu")
    await office.settle()
    await office.pass_time(60 * DAY)
    old, new = office.bundle
    assert [c.key_id for c in certificates(office.delivered("eu")[0]["ca.crt"])] == [
        old.key_id,
        new.key_id,
    ]
    office.join("us")
    await office.pass_time(DAY - HOUR)
    assert office.certificate("us").issuer_id == old.key_id
    office.join("apac")
    await office.pass_time(HOUR)
    assert office.certificate("apac").issuer_id == new.key_id
    assert office.certificate("us").issuer_id == old.key_id
    await office.pass_time(30 * DAY)
    assert [each.key_id for each in office.bundle] == [new.key_id]


async def test_the_credential_turns_when_every_member_accepts_the_next_one() -> None:
    office = Office("eu", "us")
    await office.settle()
    (first,) = office.lines
    await office.pass_time(6 * DAY)
    assert office.lines[0] == first
    _, second = office.lines
    assert set(office.delivered("us")[1]) == {first, second}
    office.apply("eu")
    await office.pass_time(5 * DAY)
    assert office.lines == (first, second)
    office.apply("us")
    await office.pass_time(timedelta())
    office.apply("eu")
    await office.pass_time(DAY - HOUR)
    assert office.lines == (first, second)
    await office.pass_time(HOUR)
    assert office.lines == (second, first)
    await office.pass_time(6 * DAY)
    assert office.lines[0] == second
    assert first not in office.lines


async def test_a_member_that_leaves_is_waited_for_no_more() -> None:
    office = Office("eu", "us")
    await office.settle()
    await office.pass_time(6 * DAY)
    first, second = office.lines
    office.apply("eu")
    await office.client.delete(next(c for c in office.client.all(MemberCluster) if c.name == "us"))
    await office.pass_time(timedelta())
    await office.pass_time(DAY)
    assert office.lines == (second, first)


async def test_who_keeps_the_credential_waiting_is_told_of_once_and_not_while_it_leaves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    office = Office("eu", "us", "apac")
    await office.settle()
    await office.pass_time(6 * DAY)
    office.apply("eu")
    office.leave("apac")
    await office.pass_time(DAY - HOUR)
    assert office.heard.all == []
    await office.pass_time(HOUR)
    await office.pass_time(HOUR)
    assert [name for name, _ in office.heard.all] == ["us"]
    assert office.heard.take() == ["GatewayCredentialWaits!"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert list(office.controller.late.values()) == [(("us",), 1.0)]
    office.apply("us")
    await office.pass_time(timedelta())
    assert list(office.controller.late.values()) == []
    assert office.heard.all == []


async def test_what_somebody_else_wrote_since_is_observed_again() -> None:
    office = Office()
    await office.settle()
    office.now += 60 * DAY
    for cache in office.reads:
        await office.client.relist(cache)
    office.client.put(_named(office, "modelfleet-gateway-authority").manifest() | {"type": "x"})
    with pytest.raises(ConflictError):
        await office.controller.reconcile(SHARED)


async def test_nothing_that_is_secret_is_shown_by_what_holds_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    office = Office("eu")
    await office.settle()
    await office.pass_time(6 * DAY)
    shown = f"{office.reads.shared()!r} {caplog.text}"
    assert not any(line in shown for line in office.lines)
    assert "PRIVATE" not in shown


async def test_a_change_wakes_whom_it_concerns() -> None:
    office = Office("eu", "us")
    await office.settle()
    queue = WorkQueue(lambda: 0.0)
    office.controller.wake(queue)
    office.client.feed(*office.reads)
    assert await _woken(queue) >= {SHARED}
    office.join("us", "https://new.example/v1")
    assert await _woken(queue) == {SHARED, Key("", "us")}
    office.apply("eu")
    assert await _woken(queue) == {SHARED, Key("", "eu")}
    office.client.put(_named(office, "modelfleet-gateway-credential").manifest() | {"type": "x"})
    assert await _woken(queue) == {SHARED, Key("", "us"), Key("", "eu")}
    other = {"metadata": {"name": "other", "namespace": HUB}, "kind": "Secret", "apiVersion": "v1"}
    office.client.put(other)
    assert await _woken(queue) == set()


class Seen(NamedTuple):
    """What was there at a time."""

    at: datetime
    text: tuple[str, ...]
    authorities: frozenset[str]


def recent(history: Sequence[Seen], now: datetime) -> Sequence[Seen]:
    """Give what a mount may still show: it lags by less than the overlap."""
    old = [seen for seen in history if seen.at <= now - RULES.overlap + HOUR]
    return [*old[-1:], *(seen for seen in history if seen.at > now - RULES.overlap + HOUR)]


@settings(max_examples=10, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.integers(1, 60), st.sets(st.sampled_from(["eu", "us"]))),
        min_size=10,
        max_size=25,
    )
)
async def test_no_rotation_leaves_a_request_refused_and_planning_again_does_nothing(
    steps: list[tuple[int, set[str]]],
) -> None:
    office = Office("eu", "us")
    await office.settle()
    sender: list[Seen] = []
    receivers: dict[str, list[Seen]] = {"eu": [], "us": []}
    for hours, applying in (((0, {"eu", "us"})), *steps):
        await office.pass_time(timedelta(hours=hours * 4))
        assert await office.settle() == 0
        authorities = frozenset(each.key_id for each in office.bundle)
        sender.append(Seen(office.now, office.lines, authorities))
        for name in sorted(applying):
            office.apply(name)
            said = frozenset({office.certificate(name).issuer_id})
            receivers[name].append(Seen(office.now, office.delivered(name)[1], said))
        await office.settle()
        sender.append(Seen(office.now, office.lines, authorities))
        for sent in recent(sender, office.now):
            for seen in (each for r in receivers.values() for each in recent(r, office.now)):
                assert sent.text[0] in seen.text
                assert seen.authorities <= sent.authorities or _over(seen, office.now)


def _over(seen: Seen, now: datetime) -> bool:
    """Whether what a member applied is past its own life: it was away for too long."""
    return now >= seen.at + RULES.certificate


def _named(office: Office, name: str) -> Secret:
    (found,) = (s for s in office.client.all(Secret) if s.name == name)
    return found


async def _woken(queue: WorkQueue) -> set[Key]:
    keys = [await queue.get() for _ in range(len(queue))]
    for key in keys:
        queue.done(key)
    return set(keys)
