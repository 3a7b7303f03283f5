"""When the webhook gets another certificate, and whom API servers believe then."""

from datetime import UTC, datetime, timedelta

from hub.admission.keys import AUTHORITY_LIFE, LIFE, Keys, parse, renewed
from hub.certificates import FreshKeys, Pair, read

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOST = "modelfleet-hub-webhook.modelfleet-system.svc"


def keys(old: Keys | None = None, *, host: str = HOST, after: timedelta = timedelta(0)) -> Keys:
    """Make new ones; an old that still does is kept."""
    new = renewed(old, [host], NOW + after, FreshKeys())
    if new is None:
        assert old is not None
        return old
    return new


def test_keys_are_read_as_they_were_written() -> None:
    made = keys()
    assert parse(made.data()) == made
    assert parse({}) is None
    assert parse(made.data() | {"tls.crt": "?"}) is None


def test_a_certificate_is_kept_for_two_thirds_of_its_life() -> None:
    made = keys()
    assert keys(made, after=LIFE * 0.6) is made
    later = keys(made, after=LIFE * 0.7)
    assert later.own != made.own
    assert later.believed == made.believed


def test_another_name_gets_another_certificate() -> None:
    made = keys()
    renamed = keys(made, host="127.0.0.1")
    found = read(renamed.own.cert)
    assert found is not None
    assert found.names == {"127.0.0.1"}
    assert renamed.authority == made.authority


def test_the_authority_before_is_believed_until_its_end() -> None:
    made = keys()
    later = keys(made, after=AUTHORITY_LIFE * 0.7)
    assert later.authority.key != made.authority.key
    assert later.believed.endswith(made.believed)
    assert keys(made, after=AUTHORITY_LIFE * 1.1).believed.count("BEGIN CERTIFICATE") == 1


def test_what_a_hand_has_spoilt_is_made_anew() -> None:
    made, other = keys(), keys()
    swapped = Pair(made.own.cert, other.own.key)
    assert keys(Keys(made.authority, swapped, made.believed)).believed == made.believed
    strange = Pair(made.authority.cert, other.authority.key)
    for authority in (strange, Pair("", ""), Pair(made.authority.cert, "?")):
        assert keys(Keys(authority, made.own, made.believed)).authority != authority
