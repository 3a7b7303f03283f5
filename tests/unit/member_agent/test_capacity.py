"""What a cluster's nodes, pools and claims come to."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api import names
from fleet.api.objects import Key
from member_agent.capacity import (
    UNLIMITED,
    SoldOut,
    claimed,
    gpus_in_use,
    holder,
    paused,
    room,
    sold_out,
    sold_out_note,
)
from tests.unit.member_agent.hardware import A100, A100X4, MIDNIGHT, claim, node, pod, pool

PAUSE = SoldOut(until=MIDNIGHT + timedelta(minutes=3), seconds=180, claim="uid-c1", message="none")


@pytest.mark.parametrize(
    ("limit", "gpus", "there", "nodes"),
    [
        (8, 1, 0, 8),
        (8, 4, 0, 2),
        (8, 4, 1, 1),
        (8, 4, 2, 0),
        (7, 4, 0, 1),
        (2, 4, 0, 0),
        (4, 0, 0, 1000),
    ],
)
def test_room_is_whole_nodes_within_the_limit(
    limit: int, gpus: int, there: int, nodes: int
) -> None:
    labels = {names.NODE_POOL: "a100"}
    standing = [node(f"n{i}", A100X4, gpus=4, labels=labels) for i in range(there)]
    assert room(pool(limit=limit), gpus, standing, []) == nodes


def test_a_pool_without_a_limit_has_room_enough() -> None:
    assert room(pool(limit=None), 8, [], []) == UNLIMITED


def test_a_limit_may_be_any_quantity() -> None:
    body = pool().manifest()
    body["spec"]["limits"] = {names.GPU: "1k"}
    assert room(type(pool()).model_validate(body), 1, [], []) == 1000


STAGES = st.sampled_from(["asked", "joined", "ready"])


@given(st.lists(STAGES, max_size=6))
def test_a_claim_takes_its_place_once_however_far_it_is(stages: list[str]) -> None:
    labels = {names.NODE_POOL: "a100"}
    claims = [
        claim(f"c{i}", on="" if stage == "asked" else f"n{i}") for i, stage in enumerate(stages)
    ]
    nodes = [
        node(f"n{i}", gpus=int(stage == "ready"), labels=labels)
        for i, stage in enumerate(stages)
        if stage != "asked"
    ]
    assert room(pool(limit=6), 1, nodes, claims) == 6 - len(stages)


def test_a_note_reads_as_it_was_written() -> None:
    body = pool().manifest()
    body["metadata"]["annotations"] = {names.SOLD_OUT: sold_out_note({A100: PAUSE})}
    assert sold_out(type(pool()).model_validate(body)) == {A100: PAUSE}


@pytest.mark.parametrize(
    ("old", "name", "minutes", "pause"),
    [
        (None, "c2", 0, 3),
        (PAUSE, "c2", 3, 6),
        (PAUSE, "c2", 600, 6),
        (PAUSE.model_copy(update={"seconds": 1920}), "c2", 60, 60),
        (PAUSE.model_copy(update={"seconds": 3600}), "c2", 60, 60),
    ],
    ids=["first", "again", "much later", "nearly an hour", "no longer than an hour"],
)
def test_a_pause_is_as_long_as_failures_say(
    old: SoldOut | None, name: str, minutes: int, pause: int
) -> None:
    now = MIDNIGHT + timedelta(minutes=minutes)
    entry = paused(old, claim(name), "none left", now)
    assert entry.until - now == timedelta(minutes=pause)
    assert entry.since == now


def test_the_same_claim_counts_once_and_one_within_the_pause_does_not_lengthen_it() -> None:
    late = MIDNIGHT + timedelta(hours=1)
    assert paused(PAUSE, claim("c1"), "none left", late) == PAUSE
    within = paused(PAUSE, claim("c2"), "none left", MIDNIGHT)
    assert (within.until, within.claim) == (PAUSE.until, "uid-c2")


def test_what_a_claim_asks_for_is_read_from_it() -> None:
    assert claimed(claim(kind=A100X4)) == (A100X4, "on-demand", 4)
    bare = claim().manifest()
    bare["spec"] |= {"requirements": [], "resources": None}
    assert claimed(type(claim()).model_validate(bare)) == ("", "on-demand", 0)


def test_a_holder_is_named_by_two_labels() -> None:
    labels = {names.WORKSPACE: "phi", names.WORKSPACE_NAMESPACE: "demo"}
    assert holder(labels) == Key("demo", "phi")
    assert holder({}) is None


def test_gpus_in_use_are_those_of_bound_pods_that_run() -> None:
    pods = [pod("a"), pod("b", gpus=2), pod("c", on=""), pod("d", phase="Succeeded", on="n2")]
    assert +gpus_in_use(pods) == {"n1": 3}
