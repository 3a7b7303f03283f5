"""What the control process and workers tell each other is heard, however the socket cuts it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.link import (
    Ask,
    Count,
    Counted,
    Frames,
    Health,
    Message,
    Page,
    Reply,
    Table,
    framed,
    to_control,
    to_worker,
)
from gateway.metrics import Counts, Report
from gateway.snapshot import Endpoint, Service, Snapshot
from gateway.standing import Standing, State
from tests.unit.gateway.pieces import cut

ENDPOINTS = st.builds(
    Endpoint,
    name=st.text(),
    url=st.text(),
    model=st.text(),
    region=st.text(),
    ready=st.none() | st.booleans(),
    probe=st.text(),
    fleet=st.booleans(),
)
SERVICES = st.builds(
    Service,
    name=st.text(),
    models=st.lists(st.text(), max_size=3).map(tuple),
    endpoints=st.lists(ENDPOINTS, max_size=3).map(tuple),
    created=st.integers(0, 2**40),
    listed=st.integers(0, 3),
)
TABLES = st.builds(Table, st.builds(Snapshot, services=st.lists(SERVICES, max_size=2).map(tuple)))
HEALTH = st.builds(
    Health, started=st.floats(0, 1e9), up=st.dictionaries(st.text(), st.booleans(), max_size=3)
)


ROUNDS = st.builds(Count, round=st.integers(0, 2**40)) | st.builds(
    Page, number=st.integers(0, 2**40), body=st.binary()
)


@given(st.lists(TABLES | HEALTH | ROUNDS, max_size=4), st.lists(st.integers(0, 10_000), max_size=8))
def test_messages_arrive_whole_and_in_order(messages: list[Message], places: list[int]) -> None:
    stream = b"".join(map(framed, messages))
    frames, heard = Frames(to_worker), list[Message]()
    for part in cut(stream, places):
        heard += frames.feed(part)
    assert heard == messages


def test_a_message_is_heard_no_sooner_than_it_is_whole() -> None:
    frames, message = Frames(to_worker), framed(Health(1.0, {"demo/eu": True}))
    assert list(frames.feed(message[:-1])) == []
    assert list(frames.feed(message[-1:])) == [Health(1.0, {"demo/eu": True})]


@pytest.mark.parametrize("body", [b"\xc1", b"\x80", b"\x81\xa4type\xa5table"])
def test_what_cannot_be_understood_is_an_error_and_no_message(body: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        list(Frames(to_worker).feed(len(body).to_bytes(4, "big") + body))


def counted() -> Counted:
    counts = Counts()
    counts.answered("phi", "eu", "200", 2)
    counts.began("phi", "eu", 0.3)
    counts.failed("phi", "us", "reset")
    return Counted(3, Report(counts, {"demo/eu": Standing("phi", "eu", State.EJECTED, 1)}))


def test_what_a_worker_counted_arrives_as_it_is() -> None:
    said: list[Reply] = [counted(), Ask(7)]
    assert list(Frames(to_control).feed(b"".join(map(framed, said)))) == said
