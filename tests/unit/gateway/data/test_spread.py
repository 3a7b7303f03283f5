"""Requests go where their service wants them: by share, header, likeness and priority."""

import asyncio
from collections import Counter
from itertools import cycle
from pathlib import Path

import pytest

from fleet.testing.waiting import until
from gateway.data.shadow import AT_ONCE
from gateway.snapshot import Affinity, Rule, Shadow
from gateway.vault import Vault
from tests.gateway_upstream import completes, hangs, turns_away, upstream
from tests.unit.gateway.data.gate import SECRET, chat, endpoint, gate, get


async def test_a_canary_gets_its_share() -> None:
    async with upstream() as old, upstream() as new, gate() as gateway:
        gateway.swap([endpoint(old, 0, weight=75), endpoint(new, 1, weight=25)])
        draws = cycle([0.1, 0.3, 0.6, 0.9])
        gateway.chance.draw = lambda: next(draws)
        wire = await gateway.connect()
        for _ in range(8):
            assert (await wire.ask(chat())).status == 200
        assert (len(old.requests), len(new.requests)) == (6, 2)
        new.refuse()
        new.hang_up()
        for _ in range(8):
            assert (await wire.ask(chat())).headers["x-modelfleet-region"] == "r0"


async def test_a_long_prompt_weighs_as_many_short_ones() -> None:
    async with upstream(hangs()) as one, upstream(hangs()) as two, gate(one, two) as gateway:
        wires = [await gateway.connect() for _ in range(6)]
        for wire, prompt in zip(wires, ("word " * 2000, *["Hi"] * 5), strict=True):
            wire.send(chat(max_tokens=5, user=prompt))
        await until(lambda: len(one.requests) + len(two.requests) == 6)
        assert (len(one.requests), len(two.requests)) == (1, 5)
        assert gateway.state(0).tokens > 2500 > gateway.state(1).tokens


async def test_a_bought_endpoint_serves_what_the_fleet_cannot() -> None:
    go = asyncio.Event()
    async with upstream(completes(pause_after=go)) as ours, upstream() as bought, gate() as gateway:
        gateway.swap([endpoint(ours, 0, places=1), endpoint(bought, 1, priority=1)])
        wire = await gateway.connect()
        wire.send(chat())
        await until(lambda: ours.requests)
        assert (await gateway.ask(chat())).headers["x-modelfleet-region"] == "r1"
        go.set()
        assert (await wire.answer()).headers["x-modelfleet-region"] == "r0"
        assert (await gateway.ask(chat())).headers["x-modelfleet-region"] == "r0"
        gateway.plane.probed({"team/0": False}, gateway.clock())
        assert (await gateway.ask(chat())).headers["x-modelfleet-region"] == "r1"


async def test_a_header_leads_to_its_endpoints_and_to_no_other() -> None:
    rules = (
        Rule((("x-tenant", "a"), ("x-beta", "")), ("team/1",)),
        Rule((("x-tenant", "b"),), ("team/9",)),
    )
    async with upstream() as one, upstream() as two, gate() as gateway:
        gateway.swap([endpoint(one, 0), endpoint(two, 1, weight=0)], rules=rules)
        for lines, region in (
            ((), "r0"),
            (("X-Tenant: a",), "r0"),
            (("x-tenant: a", "x-beta: 1"), "r1"),
            (("x-tenant: c", "x-beta: 1"), "r0"),
        ):
            for _ in range(3):
                answer = await gateway.ask(chat(*lines))
                assert answer.headers["x-modelfleet-region"] == region
        lost = await gateway.ask(chat("x-tenant: b"))
        assert (lost.status, lost.code) == (503, "no_ready_endpoint")
        two.behaviour = turns_away()
        refused = await gateway.ask(chat("x-tenant: a", "x-beta: 1"))
        assert (refused.status, refused.headers["x-modelfleet-attempts"]) == (503, "1")


async def test_requests_that_are_alike_go_to_the_same_endpoint() -> None:
    alike = Affinity("x-session", 64)
    async with upstream() as one, upstream() as two, gate() as gateway:
        gateway.swap([endpoint(one, 0), endpoint(two, 1)], affinity=alike)
        by_session, by_prompt = Counter[str](), Counter[str]()
        for number in range(16):
            text = f"{number} " * 40
            turn = {"role": "user", "content": text}
            for made, asked in (
                (by_session, [chat(f"x-session: {number}", n=turns) for turns in range(3)]),
                (by_prompt, [chat(messages=[turn] * turns) for turns in range(1, 4)]),
            ):
                answers = [await gateway.ask(each) for each in asked]
                made.update({answer.headers["x-modelfleet-region"] for answer in answers})
        assert sum(by_session.values()) == sum(by_prompt.values()) == 16
        assert len(by_session) == len(by_prompt) == 2


async def test_a_region_is_told_what_requests_are_alike() -> None:
    async with upstream() as one, gate() as gateway:
        gateway.swap([endpoint(one, 0, fleet=True)], affinity=Affinity("x-session"))
        await gateway.ask(chat("x-session: a", "x-modelfleet-affinity: 7"))
        await gateway.ask(chat("x-modelfleet-affinity: 7"))
        key = one.requests[0].headers["x-modelfleet-affinity"]
        assert "x-modelfleet-affinity" not in one.requests[1].headers
    async with upstream() as one, upstream() as two, gate(one, two, by_service=True) as region:
        lines = ("x-modelfleet-service: team/llama", f"x-modelfleet-affinity: {key}")
        for _ in range(4):
            await region.ask(chat(*lines))
        assert sorted((len(one.requests), len(two.requests))) == [0, 4]


async def test_a_copy_of_a_request_goes_to_a_shadow_and_nobody_waits_for_it() -> None:
    async with upstream() as one, upstream(hangs()) as two, gate() as gateway:
        shadow = Shadow(50, ("team/1",))
        gateway.swap([endpoint(one, 0), endpoint(two, 1, weight=0, model="next")], shadow=shadow)
        wire = await gateway.connect()
        for draw in (0.4, 0.6):
            gateway.chance.draw = lambda draw=draw: draw  # type: ignore[misc]
            answer = await wire.ask(chat(user=str(draw)))
            assert (answer.status, answer.headers["x-modelfleet-region"]) == (200, "r0")
        await until(lambda: two.requests)
        assert [(each.json["user"], each.json["model"]) for each in two.requests] == [
            ("0.4", "next")
        ]
        gateway.chance.draw = lambda: 0.0
        for _ in range(AT_ONCE + 5):
            await wire.ask(chat())
        await until(lambda: len(two.requests) == AT_ONCE)
        assert gateway.intake.shadows.under_way == AT_ONCE
        for exchange in tuple(gateway.plane.active):
            exchange.expire(gateway.clock() + 10_000)
        assert gateway.intake.shadows.under_way == 0
        text = (await gateway.ask(get("/metrics"))).body.decode()
        assert 'requests_total{model="llama",region="r0",code="200"} 107' in text
        assert 'requests_total{model="shadow:llama",region="r1",code="504"} 100' in text


async def test_an_external_endpoint_gets_its_own_credential_and_none_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with upstream() as one, gate() as gateway:
        gateway.plane.vault = Vault(str(tmp_path))
        gateway.swap([endpoint(one, 0, credential="team/bought/apiKey")])
        assert (await gateway.ask(chat())).code == "no_ready_endpoint"
        assert [each.__dict__["credential"] for each in caplog.records if "left out" in each.msg]
        (tmp_path / "team" / "bought").mkdir(parents=True)
        secret = tmp_path / "team" / "bought" / "apiKey"
        for key in ("sk-bought", "sk-renewed"):
            secret.write_text(f"{key}\n")
            gateway.plane.vault.refresh()
            gateway.plane.unlock()
            assert (await gateway.ask(chat())).status == 200
            assert one.requests[-1].headers["authorization"] == f"Bearer {key}"
        assert SECRET not in str(one.requests)
        assert "sk-" not in caplog.text
    outside = Vault(str(tmp_path / "team"))
    assert outside.line("../team/bought/apiKey") == b""
    secret.write_text("two\r\nlines")
    assert Vault(str(tmp_path)).line("team/bought/apiKey") == b""


async def test_an_adapter_is_asked_of_an_endpoint_that_has_it() -> None:
    tuned = {"adapters": (("sql", "sql"), ("team/sql", "sql"))}
    async with upstream() as one, upstream() as two, gate() as gateway:
        having = endpoint(two, 1, adapters=("sql",), model="inside", fleet=True)
        gateway.swap([endpoint(one, 0, model="inside"), having], "sql", "team/sql", **tuned)
        for name in ("sql", "team/sql"):
            answer = await gateway.ask(chat(model=name))
            assert (answer.status, answer.headers["x-modelfleet-region"]) == (200, "r1")
            request = two.requests[-1]
            assert request.json["model"] == "sql"
            assert request.headers["x-modelfleet-adapter"] == "sql"
        two.refuse()
        two.hang_up()
        assert (await gateway.ask(chat(model="sql"))).code == "no_ready_endpoint"
        assert (await gateway.ask(chat())).status == 200
        assert one.requests[-1].json["model"] == "inside"


async def test_a_region_keeps_an_adapter_to_the_pods_that_have_it() -> None:
    lines = ("x-modelfleet-service: team/llama", "x-modelfleet-adapter: sql")
    async with upstream() as one, upstream() as two, gate(by_service=True) as region:
        region.swap([endpoint(one, 0), endpoint(two, 1, adapters=("sql",))])
        for _ in range(3):
            assert (await region.ask(chat(*lines))).headers["x-modelfleet-region"] == "r1"
        region.swap([endpoint(one, 0)])
        assert (await region.ask(chat(*lines))).code == "no_ready_endpoint"
