"""A claim for which the cloud had no instance: what is told, and when it is tried again."""

from datetime import timedelta

import pytest

from fleet.api.objects import Key
from member_agent.capacity import claimed
from tests.unit.member_agent.controllers.workspace.member import LAUNCH_SECONDS, Member, phi
from tests.unit.member_agent.hardware import A10, A100, MIDNIGHT, PHI, node, pool

TOLD = "all requested instance types were unavailable during launch"


async def failed(member: Member, told: str = TOLD, key: Key = PHI) -> None:
    """Lose the one claim that there is before it is launched."""
    await member.settle(key)
    (claim,) = member.claims()
    await member.lose(claim, told)
    await member.settle(key)


async def test_a_claim_gone_before_its_launch_is_told_in_the_clouds_words() -> None:
    member = Member(pool(), phi())
    await failed(member)
    assert member.claims() == []
    why = f"{A100} is sold out: {TOLD}; tried again after 00:03:00 UTC"
    assert member.said("NodeClaimReady") == ("False", "InsufficientCapacity", why)
    assert member.said("ResourceReady") == ("False", "workspaceResourceStatusNotReady", why)
    assert member.said("WorkspaceSucceeded") == ("False", "workspacePending", why)
    assert member.sold_out()[A100].until == MIDNIGHT + timedelta(minutes=3)


async def test_without_an_event_the_claim_itself_is_named() -> None:
    member = Member(pool(), phi())
    await failed(member, told="")
    assert "was deleted before an instance was launched" in member.said("NodeClaimReady")[2]


async def test_the_claim_stays_until_its_failure_is_written_down() -> None:
    member = Member(pool(), phi())
    await member.settle()
    await member.client.delete(member.claims()[0])
    (claim,) = member.claims()
    assert claim.deleting


async def test_no_claim_is_made_before_the_pause_is_over_and_then_one_is() -> None:
    member = Member(pool(), phi())
    await failed(member)
    member.later(seconds=179)
    assert await member.reconcile() == 1
    assert member.claims() == []
    member.later(seconds=1)
    await member.settle()
    assert len(member.claims()) == 1


async def test_the_pause_doubles_with_each_failure_up_to_an_hour() -> None:
    member, pauses = Member(pool(), phi(), launch_seconds=1e6), list[float]()
    for _ in range(7):
        await failed(member)
        entry = member.sold_out()[A100]
        pauses.append((entry.until - member.now).total_seconds() / 60)
        member.now = entry.until
    assert pauses == [3, 6, 12, 24, 48, 60, 60]


async def test_an_instance_that_came_after_all_ends_the_pause() -> None:
    member = Member(pool(), phi())
    await failed(member)
    member.later(minutes=3)
    await member.settle()
    (claim,) = member.claims()
    later = {"creationTimestamp": (MIDNIGHT + timedelta(minutes=3)).isoformat()}
    body = claim.manifest()
    member.client.put(body | {"metadata": body["metadata"] | later})
    member.launch("Launched")
    await member.settle()
    assert member.sold_out() == {}
    assert member.pool().metadata.annotations == {}


async def test_an_instance_from_before_does_not_end_the_pause() -> None:
    member = Member(pool(), phi(preset="llama-3.3-70b-instruct", instanceType=A100))
    await member.settle()
    first, second, _ = member.claims()
    member.launch("Launched")
    second = next(claim for claim in member.claims() if claim.name == second.name)
    body = second.manifest()
    member.client.put(body | {"status": {"conditions": []}})
    await member.lose(second, TOLD)
    await member.settle()
    assert A100 in member.sold_out()
    assert first.name in {claim.name for claim in member.claims() if not claim.deleting}


async def test_a_claim_that_waits_longer_than_any_launch_takes_counts_as_sold_out() -> None:
    member = Member(pool(), phi())
    await member.settle()
    assert await member.reconcile() == LAUNCH_SECONDS
    member.later(seconds=LAUNCH_SECONDS - 1)
    assert await member.reconcile() == 1
    assert len(member.claims()) == 1
    member.later(seconds=1)
    await member.settle()
    assert member.claims() == []
    assert "no instance within 300 s" in member.said("NodeClaimReady")[2]


async def test_a_launched_claim_may_take_its_time() -> None:
    member = Member(pool(), phi())
    await member.settle()
    member.launch("Launched")
    member.later(hours=1)
    await member.settle()
    assert [claim.deleting for claim in member.claims()] == [False]


async def test_a_claim_that_waits_is_looked_after_while_another_node_is_lacking() -> None:
    member = Member(pool(limit=1), phi(preset="llama-3.3-70b-instruct", instanceType=A100))
    await member.settle()
    assert member.said("NodeClaimReady")[1] == "InsufficientCapacity"
    assert await member.reconcile() == LAUNCH_SECONDS


async def test_another_type_is_taken_where_the_user_named_none() -> None:
    region = node("cpu", "Standard_D4", gpus=0)
    member = Member(region, pool("a100", A100), pool("a10", A10), phi())
    await failed(member)
    assert [claimed(claim).instance_type for claim in member.claims()] == [A100]


async def test_another_pool_is_asked_where_one_is_sold_out() -> None:
    member = Member(pool("a"), pool("b"), phi())
    await failed(member)
    assert [claim.metadata.labels["karpenter.sh/nodepool"] for claim in member.claims()] == ["b"]


async def test_a_sold_out_pool_beside_a_full_one_is_tried_again() -> None:
    member = Member(pool("a"), pool("b", limit=0), phi())
    await failed(member)
    assert await member.reconcile() == 180
    assert member.said("NodeClaimReady")[2] == (
        f"no room for another {A100}: b (limit 0 GPUs); elsewhere it is sold out: {TOLD}; "
        "tried again after 00:03:00 UTC"
    )


async def test_one_workspaces_failure_keeps_the_others_from_trying() -> None:
    member = Member(pool(), phi())
    await failed(member)
    member.client.put(phi("other"))
    await member.settle(Key("demo", "other"))
    assert member.claims() == []
    assert member.said("NodeClaimReady", "other")[1] == "InsufficientCapacity"


async def test_two_claims_that_fail_together_are_one_failure() -> None:
    member = Member(pool(), phi(), phi("other"))
    for name in ("phi", "other"):
        await member.settle(Key("demo", name))
    for claim in member.claims():
        await member.lose(claim, TOLD)
    for name in ("phi", "other", "phi"):
        await member.settle(Key("demo", name))
    assert member.claims() == []
    assert member.sold_out()[A100].seconds == 180


async def test_a_claim_that_karpenter_ends_slowly_is_counted_once() -> None:
    member = Member(pool(), phi(), phi("other"))
    for name in ("phi", "other"):
        await member.settle(Key("demo", name))
    member.launch("Unheard")
    for claim in member.claims():
        await member.lose(claim, TOLD)
    for name in ("phi", "other"):
        await member.settle(Key("demo", name))
    before = member.pool().metadata.resource_version
    member.later(minutes=10)
    for name in ("phi", "other"):
        await member.settle(Key("demo", name))
    assert all(claim.deleting for claim in member.claims())
    assert member.pool().metadata.resource_version == before


@pytest.mark.parametrize("text", ["nonsense", '{"x": 1}'])
async def test_a_note_that_cannot_be_read_is_as_good_as_none(text: str) -> None:
    body = pool().manifest()
    body["metadata"]["annotations"] = {"modelfleet.dev/sold-out": text}
    member = Member(phi())
    member.client.put(body)
    await member.settle()
    assert len(member.claims()) == 1


async def test_users_hear_of_claims_sold_out_types_and_an_engine_that_comes_and_goes() -> None:
    member = Member(pool(), phi())
    await failed(member)
    assert member.heard.messages[-1].startswith(f"{A100} is sold out: {TOLD}")
    assert member.heard.take() == ["NodeClaimCreated", "InsufficientCapacity!"]
    member.later(minutes=4)
    await member.served()
    assert member.heard.take() == [
        "NodeClaimCreated",
        "NodeClaimsReady",
        "ResourceReady",
        "InferenceReady",
    ]
    member.start()
    await member.settle()
    assert member.heard.take() == []
    member.run(readyReplicas=0)
    await member.settle()
    assert member.heard.take() == ["WorkspaceInferenceStatusPending!"]
