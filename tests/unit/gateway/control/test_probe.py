"""Every endpoint is asked whether it lives, and none keeps another from being heard."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from msgspec import structs

from fleet.testing.waiting import until
from gateway import snapshot
from gateway.control.probe import AT_ONCE, LOAD_BYTES, Prober
from gateway.link import Health
from gateway.load import Load
from gateway.snapshot import Endpoint, Service
from gateway.tls import Trust
from tests.gateway_upstream import (
    End,
    Upstream,
    hangs,
    head,
    says,
    turns_away,
    unreachable,
    upstream,
    whole,
)
from tests.unit.gateway.places import place, service, table

PATIENT = 20.0
"""Seconds that nobody who lives needs for an answer."""
Tls = Callable[[snapshot.Tls | None], ssl.SSLContext]
PHI, QWEN = "demo/phi", "demo/qwen"


class Heard:
    """What workers are told."""

    def __init__(self) -> None:
        self.up: dict[str, bool] = {}
        self.loads: dict[str, Load] = {}
        self.rounds = 0

    def __call__(self, health: Health) -> None:
        self.up, self.loads = health.up, health.loads
        self.rounds += 1


class Probing:
    def __init__(
        self, *services: Service, seconds: float, patience: float, tls: Tls | None = None
    ) -> None:
        self.heard = Heard()
        self.credential = "fleet-1"
        self.prober = Prober(
            self.heard,
            lambda: self.credential,
            seconds=seconds,
            timeout=patience,
            tls=tls or Trust().context,
        )
        self.prober.aim(table(*services))

    @property
    def up(self) -> dict[str, bool]:
        return self.heard.up


@asynccontextmanager
async def probing(
    *services: Service, seconds: float = 0.01, patience: float = PATIENT, tls: Tls | None = None
) -> AsyncIterator[Probing]:
    made = Probing(*services, seconds=seconds, patience=patience, tls=tls)
    task = asyncio.create_task(made.prober.run())
    try:
        yield made
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def outside(where: Upstream, name: str = "demo/api", path: str = "/v1/models") -> Endpoint:
    return place(name, probe=f"http://127.0.0.1:{where.port}{path}")


def region(where: Upstream, name: str = "demo/eu") -> Endpoint:
    return place(name, probe=f"http://127.0.0.1:{where.port}/-/load", fleet=True)


def load(**ready: int) -> bytes:
    """Write what a regional gateway tells of its services."""
    services = {f"demo/{name}": {"ready": count, "inFlight": 3} for name, count in ready.items()}
    return json.dumps({"region": "eu", "cluster": "eu", "services": services}).encode()


@pytest.mark.parametrize(
    ("status", "up"),
    [(200, True), (302, True), (401, True), (404, True), (429, True), (500, False), (503, False)],
)
async def test_an_outside_place_lives_while_it_answers_below_500(status: int, up: bool) -> None:
    async with (
        upstream(says(whole(status, b"{}"))) as api,
        probing(service(PHI, outside(api))) as seen,
    ):
        await until(lambda: seen.up == {"demo/api": up})


async def test_a_region_is_up_for_the_services_that_it_has_ready_pods_of() -> None:
    async with upstream(says(whole(200, load(phi=2, qwen=0)))) as gateway:
        services = [
            service(PHI, region(gateway, "demo/phi-eu")),
            service(QWEN, region(gateway, "demo/qwen-eu")),
            service("demo/gone", region(gateway, "demo/gone-eu")),
        ]
        async with probing(*services) as seen:
            expected = {"demo/phi-eu": True, "demo/qwen-eu": False, "demo/gone-eu": False}
            await until(lambda: seen.up == expected)
            gateway.behaviour = says(whole(200, load(qwen=1)))
            expected = {"demo/phi-eu": False, "demo/qwen-eu": True, "demo/gone-eu": False}
            await until(lambda: seen.up == expected)


async def test_workers_hear_what_a_region_says_of_its_work() -> None:
    told = b'{"services": {"demo/phi": {"ready": 2, "inFlight": 9, "waiting": 4, "kvUse": 0.5}}}'
    async with (
        upstream(says(whole(200, told))) as gateway,
        probing(service(PHI, region(gateway)), service(QWEN, region(gateway, "demo/no"))) as seen,
    ):
        await until(lambda: seen.heard.loads == {"demo/eu": Load(2, 9, 4, 0.5)})


async def test_an_engine_tells_its_work_by_its_metrics_or_not_at_all() -> None:
    metrics = b"vllm:num_requests_running 3\nvllm:num_requests_waiting 2\n"
    async with (
        upstream(says(whole(200, metrics))) as engine,
        upstream(says(whole(200, b"nothing"))) as other,
        upstream(turns_away(404)) as third,
    ):
        pods = [
            place(f"demo/{number}", probe=f"{each.url}/models", metrics=f"{each.url}/metrics")
            for number, each in enumerate((engine, other, third))
        ]
        async with probing(service(PHI, *pods)) as seen:
            await until(lambda: seen.heard.loads == {"demo/0": Load(1, 5, 2)})
            assert set(seen.up) == {"demo/0", "demo/1", "demo/2"}


async def test_a_url_that_many_share_is_asked_once_a_round() -> None:
    async with upstream(says(whole(200, load(phi=1)))) as gateway:
        places = [region(gateway, f"demo/{number}") for number in range(50)]
        async with probing(service(PHI, *places), seconds=3600) as seen:
            await until(lambda: len(seen.up) == 50)
            assert len(gateway.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        whole(401, load(phi=1)),
        whole(302, load(phi=1), "location: /elsewhere"),
        whole(404, load(phi=1)),
        whole(200, b""),
        whole(200, load(phi=1)[:-1]),
        whole(200, b'{"services": 3}'),
        whole(200, b'{"services": {"demo/phi": {"ready": "1"}}}'),
        whole(200, b'{"services": {"\xff": {"ready": 1}}}'),
        whole(200, b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        whole(200, load(phi=1) + b" " * LOAD_BYTES),
    ],
)
async def test_a_region_that_makes_no_sense_is_down_and_harms_nobody_else(answer: bytes) -> None:
    async with upstream(says(answer)) as odd, upstream(says(whole(200, load(phi=1)))) as good:
        places = [region(odd, "demo/odd"), region(good, "demo/good")]
        async with probing(service(PHI, *places)) as seen:
            await until(lambda: seen.up == {"demo/odd": False, "demo/good": True})
            rounds = seen.heard.rounds
            await until(lambda: seen.heard.rounds > rounds)


async def test_a_region_with_very_many_services_is_read_to_the_end() -> None:
    many = load(**{f"service-{number}": 1 for number in range(10_000)}, phi=1)
    half = len(many) // 2
    gate = asyncio.Event()
    answer = says(head(200, f"content-length: {len(many)}") + many[:half], gate, many[half:])
    async with (
        upstream(answer) as gateway,
        probing(service(PHI, region(gateway)), seconds=3600) as seen,
    ):
        await until(lambda: gateway.requests)
        gate.set()
        await until(lambda: seen.up == {"demo/eu": True})


async def test_only_a_region_is_shown_the_credential_and_always_the_newest() -> None:
    async with (
        upstream(says(whole(200, load(phi=1)))) as gateway,
        upstream(says(whole(200, b"{}"))) as api,
        probing(service(PHI, region(gateway), outside(api))) as seen,
    ):
        await until(lambda: api.requests and gateway.requests)
        seen.credential = "fleet-2"
        await until(lambda: gateway.requests[-1].headers["authorization"] == "Bearer fleet-2")
        assert gateway.requests[0].headers["authorization"] == "Bearer fleet-1"
        assert not any("authorization" in each.headers for each in api.requests)


async def test_a_redirect_does_not_carry_the_credential_elsewhere() -> None:
    async with upstream(says(whole(200, load(phi=1)))) as thief:
        away = whole(302, b"", f"location: http://127.0.0.1:{thief.port}/-/load")
        async with (
            upstream(says(away)) as gateway,
            probing(service(PHI, region(gateway))) as seen,
        ):
            await until(lambda: seen.up == {"demo/eu": False})
        assert thief.requests == []


async def test_a_place_that_is_gone_is_down_at_once_and_up_when_it_is_back() -> None:
    async with upstream(says(whole(200, b"{}"))) as api:
        api.refuse()
        async with probing(service(PHI, outside(api))) as seen:
            await until(lambda: seen.heard.rounds)
            assert seen.up == {"demo/api": False}
            await api.listen()
            await until(lambda: seen.up == {"demo/api": True})
            api.refuse()
            api.hang_up()
            await until(lambda: seen.up == {"demo/api": False})


async def test_a_place_that_stays_silent_is_down() -> None:
    async with (
        upstream(hangs()) as api,
        probing(service(PHI, outside(api)), patience=0.05) as seen,
    ):
        await until(lambda: seen.up == {"demo/api": False})


async def test_a_region_whose_answer_breaks_off_is_down() -> None:
    broken = says(head(200, "content-length: 900") + load(phi=1), End.RESET)
    async with upstream(broken) as gateway, probing(service(PHI, region(gateway))) as seen:
        await until(lambda: seen.up == {"demo/eu": False})


@pytest.mark.parametrize(
    "url",
    [
        "http://a..b/v1/models",
        f"http://{'a' * 64}.example/v1/models",
        "http://[bad/v1/models",
        "http://example:99999/v1/models",
        "http://",
        "ftp://example/v1/models",
        "nonsense",
    ],
)
async def test_a_url_that_makes_no_sense_is_down_and_harms_nobody_else(url: str) -> None:
    async with upstream(says(whole(200, b"{}"))) as api:
        odd = place("demo/odd", probe=url)
        async with probing(service(PHI, odd, outside(api))) as seen:
            await until(lambda: seen.up == {"demo/odd": False, "demo/api": True})


async def test_however_many_are_silent_the_others_are_heard() -> None:
    async with upstream() as api:
        answer, silence = says(whole(200, b"{}")), hangs()

        async def behave(call: Any) -> None:
            await (answer if call.request.target == "/alive" else silence)(call)

        api.behaviour = behave
        silent = [outside(api, f"demo/{number}", f"/{number}") for number in range(3 * AT_ONCE)]
        alive = outside(api, "demo/alive", "/alive")
        async with probing(service(PHI, *silent, alive), patience=0.5) as seen:
            await until(lambda: seen.up.get("demo/alive"))


async def test_a_machine_that_does_not_answer_is_down() -> None:
    with unreachable() as url:
        lost = place("demo/lost", probe=f"{url}/models")
        async with probing(service(PHI, lost), patience=0.05) as seen:
            await until(lambda: seen.up == {"demo/lost": False})


async def test_a_new_place_is_asked_at_once() -> None:
    async with upstream(says(whole(200, b"{}"))) as api:
        one, two = outside(api, "demo/one"), outside(api, "demo/two", "/two")
        async with probing(service(PHI, one), seconds=3600) as seen:
            await until(lambda: seen.up == {"demo/one": True})
            seen.prober.aim(table(service(PHI, one, two)))
            await until(lambda: seen.up == {"demo/one": True, "demo/two": True})


async def test_what_is_routed_to_no_more_is_asked_and_told_of_no_more() -> None:
    async with (
        upstream(says(whole(200, b"{}"))) as old,
        upstream(says(whole(200, b"{}"))) as new,
        probing(service(PHI, outside(old, "demo/old"))) as seen,
    ):
        await until(lambda: seen.up == {"demo/old": True})
        seen.prober.aim(table(service(PHI, outside(new, "demo/new"))))
        await until(lambda: seen.up == {"demo/new": True})
        asked, rounds = len(old.requests), seen.heard.rounds
        await until(lambda: seen.heard.rounds > rounds + 1)
        assert len(old.requests) == asked


async def test_a_place_that_names_no_probe_is_left_to_the_requests() -> None:
    async with upstream(says(whole(200, b"{}"))) as api:
        bare = place("demo/bare", url=api.url)
        async with probing(service(PHI, bare, outside(api))) as seen:
            await until(lambda: seen.up == {"demo/api": True})


async def test_a_place_that_is_said_to_be_ready_now_is_asked_at_once() -> None:
    async with upstream(says(whole(200, load(phi=0)))) as gateway:
        unready = region(gateway)
        async with probing(service(PHI, unready), seconds=3600) as seen:
            await until(lambda: seen.up == {"demo/eu": False})
            gateway.behaviour = says(whole(200, load(phi=1)))
            seen.prober.aim(table(service(PHI, structs.replace(unready, ready=True))))
            await until(lambda: seen.up == {"demo/eu": True})
