"""A host belongs to one gateway: to the one that had it first."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.gateway_claims import Claim, Reason, covers, holder, host_of, judge

EARLY = datetime(2026, 1, 1, tzinfo=UTC)
LATE = EARLY + timedelta(days=1)
RESERVED = ("models.example", "*.wild.example", "10.0.0.9", "modelfleet-gateway")


def claim(
    member: str, *, certified: bool = False, believed: bool = False, since: datetime | None = LATE
) -> Claim:
    return Claim(member, certified, believed, since)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://us.example/v1", "us.example"),
        ("https://US.Example.:8443/v1", "us.example"),
        ("https://user@us.example:1/v1", "us.example"),
        ("https://b\u00fccher.example/v1", "xn--bcher-kva.example"),
        ("https://10.1.2.3:8443/v1", "10.1.2.3"),
        ("https://[FD00:0::1]/v1", "fd00::1"),
        ("https://[::ffff:10.0.0.9]/v1", "10.0.0.9"),
        ("https://[fe80::1%25eth0]/v1", ""),
        ("https://*.example/v1", ""),
        ("https://a..b/v1", ""),
        ("https://a b/v1", ""),
        ("https://[bad/v1", ""),
        ("nonsense", ""),
    ],
)
def test_a_host_is_written_in_one_way(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("claims", "first"),
    [
        ([claim("us")], "us"),
        ([claim("us", since=EARLY), claim("eu", certified=True)], "eu"),
        ([claim("us", since=EARLY), claim("eu", believed=True)], "eu"),
        ([claim("us", believed=True), claim("eu", certified=True)], "eu"),
        ([claim("us", since=EARLY), claim("eu")], "us"),
        (
            [claim("us", certified=True, since=EARLY), claim("eu", certified=True, believed=True)],
            "eu",
        ),
        ([claim("us", since=None), claim("eu")], "us"),
        ([claim("us"), claim("eu")], "eu"),
    ],
)
def test_the_one_with_a_certificate_is_first_then_the_believed_then_the_elder(
    claims: list[Claim], first: str
) -> None:
    assert holder(claims) == first
    assert holder(reversed(claims)) == first


@pytest.mark.parametrize(
    ("url", "others", "reason"),
    [
        ("https://us.example/v1", (), None),
        ("https://us.example/v1", (claim("eu", since=EARLY),), Reason.TAKEN),
        ("https://us.example/v1", (claim("zz"),), None),
        ("https://us.example/v1", (claim("zz", certified=True),), Reason.TAKEN),
        ("https://Models.Example:8443/v1", (), Reason.GLOBAL),
        ("https://a.wild.example/v1", (), Reason.GLOBAL),
        ("https://a.b.wild.example/v1", (), None),
        ("https://[::ffff:10.0.0.9]/v1", (), Reason.GLOBAL),
        ("https://modelfleet-gateway/v1", (), Reason.GLOBAL),
        ("https://*.example/v1", (), Reason.NO_HOST),
        ("http://127.0.0.1:8080/v1", (claim("eu", certified=True),), None),
        ("http://localhost:8080/v1", (claim("eu", certified=True),), None),
    ],
)
def test_an_address_is_believed_where_its_host_is_nobody_else_s(
    url: str, others: tuple[Claim, ...], reason: Reason | None
) -> None:
    refusal = judge("us", url, (claim("us"), *others), RESERVED)
    assert (refusal and refusal.reason) == reason
    if refusal:
        assert url in refusal.message
        assert all(other.member in refusal.message for other in others)


def test_a_wildcard_stands_for_one_label() -> None:
    assert covers("*.example", "us.example")
    assert not covers("*.example", "example")
    assert not covers("*.example", "a.us.example")
