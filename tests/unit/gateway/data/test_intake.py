"""Where a request goes: to an upstream as it is to be seen there, to a page, or back."""

from hashlib import sha256
from typing import Any

import msgspec
import pytest

from fleet.testing.waiting import until
from gateway import body as bodies
from gateway.link import Topic
from gateway.load import Load
from gateway.snapshot import Endpoint, Service, Snapshot
from tests.gateway_upstream import CHUNKED, JSON, chunk, hangs, says, upstream, whole
from tests.unit.gateway.data.gate import (
    AUTHORIZED,
    KEY,
    MODEL,
    PATH,
    SECRET,
    SERVICE,
    ask,
    chat,
    endpoint,
    gate,
    get,
    raw,
)

LARGE = "x" * bodies.LARGE


@pytest.mark.parametrize(
    "line",
    [
        "x-none: 1",
        "authorization: Bearer wrong-key",
        f"authorization: Basic {KEY}",
        f"authorization: Bearer{KEY}",
        "authorization:",
        "x-api-key: wrong-key",
        "x-api-key:",
        f"api-key: {KEY}",
    ],
)
@pytest.mark.parametrize("path", [PATH, "/v1/models", "/metrics", "/-/load", "/nowhere"])
async def test_without_a_key_nothing_is_told(line: str, path: str) -> None:
    method = "POST" if path == PATH else "GET"
    async with upstream() as only, gate(only) as gateway:
        answer = await gateway.ask(raw(path, line, method=method, body=b'{"model": "llama"}'))
        assert (answer.status, answer.code) == (401, "invalid_api_key")
        assert answer.json["error"]["type"] == "invalid_request_error"
        assert not only.requests


async def test_a_body_without_a_key_is_not_waited_for() -> None:
    async with gate() as gateway:
        answer = await gateway.ask(raw(PATH, "content-length: 1000000"))
    assert answer.status == 401


@pytest.mark.parametrize("line", [AUTHORIZED, f"x-api-key: {KEY}"])
async def test_a_key_may_come_as_either_kind_of_client_sends_it(line: str) -> None:
    async with upstream() as only, gate(only) as gateway:
        answer = await gateway.ask(raw(PATH, line, body=b'{"model": "llama"}'))
        assert answer.status == 200
        assert not only.requests[0].headers.keys() & {"authorization", "x-api-key"}


async def test_a_key_is_looked_at_anew_on_a_connection_where_another_was_let_in() -> None:
    async with gate() as gateway:
        wire = await gateway.connect()
        assert [(await wire.ask(get("/-/load"))).status for _ in range(2)] == [200, 200]
        answer = await wire.ask(raw("/-/load", f"{AUTHORIZED}x", method="GET"))
        assert answer.status == 401


async def test_a_key_that_is_taken_back_is_no_use_on_a_connection_that_it_opened() -> None:
    async with upstream() as only, gate(only) as gateway:
        wire = await gateway.connect()
        assert (await wire.ask(chat())).status == 200
        gateway.plane.credentials.accepted.digests = (sha256(b"a new key").digest(),)
        assert (await wire.ask(chat())).status == 401
        assert len(only.requests) == 1


@pytest.mark.parametrize("path", ["/healthz", "/healthz?verbose"])
async def test_who_keeps_the_process_alive_needs_no_key(path: str) -> None:
    async with gate() as gateway:
        answer = await gateway.ask(raw(path, method="GET"))
    assert (answer.status, answer.body) == (200, b"ok\n")


@pytest.mark.parametrize("large", ["", LARGE], ids=["small", "large"])
async def test_a_model_that_nobody_serves_is_unknown(large: str) -> None:
    async with upstream() as only, gate(only) as gateway:
        answer = await gateway.ask(chat(model="lama", user=large))
        assert (answer.status, answer.code) == (404, "model_not_found")
        said = "The model `lama` does not exist. Did you mean `llama`?"
        assert answer.json["error"]["message"] == said
        assert answer.json["error"]["param"] == "model"
        assert not only.requests


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"", "invalid_json", None),
        (b"{", "invalid_json", None),
        (b"[1]", "invalid_json", None),
        (b"{}", "missing_model", "model"),
        (b'{"model": 7}', "invalid_model", "model"),
        (b'{"model": "llama", "model": "other"}', "duplicate_model", "model"),
        (b'{"model": 7, "user": "%b"}' % LARGE.encode(), "invalid_model", "model"),
        (b'{"user": "%b' % LARGE.encode(), "invalid_json", None),
    ],
)
async def test_a_body_that_cannot_be_routed_says_which_field_is_wrong(
    body: bytes, code: str, param: str | None
) -> None:
    async with upstream() as only, gate(only) as gateway:
        wire = await gateway.connect()
        answer = await wire.ask(raw(PATH, AUTHORIZED, "content-type: application/json", body=body))
        assert (answer.status, answer.code) == (400, code)
        assert answer.json["error"]["param"] == param
        assert not only.requests
        assert (await wire.ask(chat())).status == 200


async def test_before_the_first_routes_everything_is_to_come_again() -> None:
    async with gate() as gateway:
        messages = [chat(), get("/v1/models"), get("/v1/models/llama"), get("/readyz")]
        for message in messages:
            answer = await gateway.ask(message)
            assert (answer.status, answer.code) == (503, "not_ready")
            assert answer.headers["retry-after"] == "1"
        gateway.swap([])
        assert [(await gateway.ask(message)).status for message in messages] == [503, 200, 200, 200]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v2/chat/completions",
        "/v1",
        "/v1/load_lora_adapter",
        "/v1/unload_lora_adapter",
        "/v1/load%5Flora_adapter",
        "/v1/%75nload_lora_adapter?x=1",
        "/v1/../metrics",
        "/v1/%2e%2e/metrics",
        "/v1/.%2E/metrics",
        "/metrics",
    ],
)
async def test_what_is_not_for_clients_does_not_reach_an_upstream(path: str) -> None:
    async with upstream() as only, gate(only) as gateway:
        answer = await gateway.ask(ask(path, model=MODEL))
        assert (answer.status, answer.code) == (404, "unknown_url")
        assert path.partition("?")[0] in answer.json["error"]["message"]
        assert not only.requests


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_unknown(method: str) -> None:
    async with upstream() as only, gate(only) as gateway:
        for path in (PATH, "/v1/models", "/healthz"):
            assert (await gateway.ask(get(path, method=method))).code == "unknown_url"
        assert not only.requests


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        (PATH, "/v1/chat/completions"),
        ("/v1/embeddings", "/v1/embeddings"),
        ("/v1/audio/speech?voice=x&y=%2F..", "/v1/audio/speech?voice=x&y=%2F.."),
    ],
)
@pytest.mark.parametrize("base", ["", "/tenant"])
async def test_a_path_goes_below_the_upstream_s_own(path: str, seen: str, base: str) -> None:
    async with upstream() as only, gate() as gateway:
        gateway.route(only, url=f"http://127.0.0.1:{only.port}{base}/v1/")
        await gateway.ask(ask(path, model=MODEL))
        assert only.requests[0].target == base + seen
        assert only.requests[0].method == "POST"
        assert only.requests[0].headers["host"] == f"127.0.0.1:{only.port}"


async def test_a_body_goes_through_byte_for_byte() -> None:
    body = b' {\n"stop" :["\\u0041"],"x":1.0e0, "model"  : "llama" , "n":{"model":1} }\t'
    async with upstream() as only, gate(only) as gateway:
        await gateway.ask(raw(PATH, AUTHORIZED, body=body))
        assert only.requests[0].body == body


@pytest.mark.parametrize("large", ["", LARGE], ids=["small", "large"])
@pytest.mark.parametrize("asked", [MODEL, "small", "\u0141ama"])
async def test_an_endpoint_is_asked_for_the_name_that_it_serves(asked: str, large: str) -> None:
    async with upstream() as only, gate() as gateway:
        gateway.swap([endpoint(only, model="org/llama-8b")], "small", "\u0141ama")
        answer = await gateway.ask(chat(model=asked, user=large, stop=["model"]))
        assert answer.status == 200
        assert only.requests[0].json == {
            "model": "org/llama-8b",
            "messages": [{"role": "user", "content": "Hi"}],
            "user": large,
            "stop": ["model"],
        }


async def test_each_try_asks_for_the_name_that_its_endpoint_serves() -> None:
    async with upstream() as one, upstream() as two, gate() as gateway:
        gateway.swap([endpoint(one, 0, model="a"), endpoint(two, 1, model="b")])
        one.refuse()
        assert (await gateway.ask(chat())).status == 200
        assert two.requests[0].json["model"] == "b"


OURS = ("x-modelfleet-attempts: 9", "x-modelfleet-region: mars", "x-modelfleet-service: a/b")
HOP = ("connection: x-hop", "keep-alive: 5", "te: trailers", "proxy-connection: close")
SECRETS = (f"x-api-key: {KEY}", f"api-key: {KEY}", f"cookie: k={KEY}", "proxy-authorization: x")


@pytest.mark.parametrize("fleet", [False, True])
async def test_what_a_client_shows_to_us_no_upstream_sees(*, fleet: bool) -> None:
    lines = (*OURS, *HOP, *SECRETS, "accept-encoding: gzip", "X-Request-Id: 7", "accept: */*")
    async with upstream() as only, gate() as gateway:
        gateway.route(only, fleet=fleet)
        await gateway.ask(chat(*lines))
        ours = {"authorization": f"Bearer {SECRET}", "x-modelfleet-service": SERVICE}
        assert only.requests[0].headers == {
            "host": f"127.0.0.1:{only.port}",
            "content-length": str(len(only.requests[0].body)),
            "x-request-id": "7",
            "accept": "*/*",
            **(ours if fleet else {}),
        }


async def test_what_follows_a_body_in_chunks_is_no_header() -> None:
    body = chat().partition(b"\r\n\r\n")[2]
    async with upstream() as only, gate(only) as gateway:
        wire = await gateway.connect()
        wire.send(raw(PATH, AUTHORIZED, CHUNKED), chunk(body), b"0\r\nx-late: 1\r\n\r\n")
        assert (await wire.answer()).status == 200
        assert "x-late" not in only.requests[0].headers


@pytest.mark.parametrize(
    ("fleet", "region", "place"), [(True, "inner", "a/pod"), (False, "r0", "team/0")]
)
async def test_only_a_region_of_the_fleet_says_itself_which_it_is(
    *, fleet: bool, region: str, place: str
) -> None:
    told = ("x-modelfleet-region: inner", "x-modelfleet-upstream: a/pod")
    lines = (*told, "x-modelfleet-attempts: 5", "set-cookie: a=b")
    async with upstream(says(whole(200, b"{}", JSON, *lines))) as only, gate() as gateway:
        gateway.route(only, fleet=fleet)
        answer = await gateway.ask(chat())
    assert answer.headers["x-modelfleet-region"] == region
    assert answer.headers["x-modelfleet-upstream"] == place
    assert answer.headers["x-modelfleet-attempts"] == "1"
    assert "set-cookie" not in answer.headers


async def test_a_region_serves_the_service_that_it_is_asked_for() -> None:
    async with upstream() as only, gate(by_service=True) as gateway:
        gateway.route(only)
        answer = await gateway.ask(chat(f"x-modelfleet-service: {SERVICE}", model="any"))
        assert answer.status == 200
        assert only.requests[0].json["model"] == "any"
        assert (await gateway.ask(chat())).status == 200
        other = await gateway.ask(chat("x-modelfleet-service: team/other"))
        assert (other.status, other.code) == (503, "no_ready_endpoint")
        assert len(only.requests) == 2


async def test_models_are_listed_under_their_first_names_and_found_by_all() -> None:
    services = (
        Service("b/two", ("two", "2", "b/two"), created=5, listed=2),
        Service("a/one", ("one", "a/one"), created=3),
    )
    async with gate() as gateway:
        gateway.plane.swap(Snapshot(services))
        listed = (await gateway.ask(get("/v1/models"))).json
        found = [await gateway.ask(get(f"/v1/models/{n}")) for n in ("b/two", "b%2Ftwo", "2")]
        other = await gateway.ask(get("/v1/models/three"))
    made = {"object": "model", "owned_by": "modelfleet"}
    assert listed == {
        "object": "list",
        "data": [
            {"id": "2", "created": 5, **made},
            {"id": "one", "created": 3, **made},
            {"id": "two", "created": 5, **made},
        ],
    }
    assert [each.json["id"] for each in found] == ["b/two", "b/two", "2"]
    assert (other.status, other.code) == (404, "model_not_found")


async def test_a_gateway_that_drains_says_so_and_is_alive() -> None:
    async with gate() as gateway:
        gateway.route()
        assert (await gateway.ask(get("/readyz"))).status == 200
        gateway.intake.drain(5)
        assert (await gateway.ask(get("/readyz"))).status == 503
        assert (await gateway.ask(get("/healthz"))).status == 200


async def test_load_tells_who_is_ready_and_how_much_is_under_way() -> None:
    async with (
        upstream(hangs()) as one,
        upstream() as two,
        gate(region="eu", cluster="member-eu") as gateway,
    ):
        gateway.swap([endpoint(one, 0), endpoint(two, 1), endpoint(two, 2, ready=False)])
        gateway.plane.probed({"team/1": False}, gateway.clock())
        wire = await gateway.connect()
        wire.send(chat())
        await until(lambda: one.requests)
        said = {"team/0": Load(1, 0, 4, 0.5), "team/1": Load(1, 9, 9, 0.9)}
        gateway.plane.probed({"team/0": True, "team/1": False}, gateway.clock(), said)
        load: Any = msgspec.json.decode((await gateway.ask(get("/-/load"))).body)
    assert load == {
        "region": "eu",
        "cluster": "member-eu",
        "services": {SERVICE: {"ready": 1, "inFlight": 1, "waiting": 4, "kvUse": 0.5}},
    }


async def test_metrics_count_what_happened() -> None:
    async with upstream() as one, upstream() as two, gate(one, two) as gateway:
        one.refuse()
        for message in (chat(), chat(model="none"), raw(PATH)):
            await gateway.ask(message)
        answer = await gateway.ask(get("/metrics"))
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.body.decode().splitlines()
    start = "modelfleet_gateway_"
    assert {
        f'{start}requests_total{{model="llama",region="r1",code="200"}} 1',
        f'{start}attempts_total{{model="llama"}} 2',
        f'{start}retries_total{{model="llama"}} 1',
        f'{start}upstream_errors_total{{model="llama",region="r0",reason="refused"}} 1',
        f'{start}refused_total{{code="model_not_found"}} 1',
        f'{start}refused_total{{code="invalid_api_key"}} 1',
        f'{start}in_flight{{model="llama",region="r0"}} 0',
        f'{start}endpoints{{model="llama",region="r0",state="ejected"}} 1',
        f'{start}endpoints{{model="llama",region="r1",state="ready"}} 1',
        f'{start}ttft_seconds_count{{model="llama",region="r1"}} 1',
    } <= set(lines)
    assert "none" not in answer.body.decode()


async def test_a_service_that_nobody_knows_is_no_label() -> None:
    async with upstream() as one, gate(one, by_service=True) as gateway:
        for service in (SERVICE, "team/made-up-1", "team/made-up-2"):
            await gateway.ask(chat(f"x-modelfleet-service: {service}"))
        text = (await gateway.ask(get("/metrics"))).body.decode()
    assert "made-up" not in text
    assert 'requests_total{model="",region="",code="503"} 2' in text
    assert 'requests_total{model="llama",region="r0",code="200"} 1' in text


async def test_counters_that_nobody_gathers_are_an_error_and_not_those_of_one_worker() -> None:
    async def nobody(_: Topic) -> bytes:
        raise TimeoutError

    async with upstream() as one, gate(one) as gateway:
        gateway.intake.gathered = nobody
        assert (await gateway.ask(get("/metrics"))).code == "not_counted"


async def test_new_routes_take_the_place_of_old_ones_while_an_answer_goes_on() -> None:
    async with upstream(hangs()) as one, upstream() as two, gate(one) as gateway:
        wire = await gateway.connect()
        wire.send(chat())
        await until(lambda: one.requests)
        gateway.swap([endpoint(two, 7)])
        assert (await gateway.ask(chat())).headers["x-modelfleet-region"] == "r7"
        gateway.pass_time(121)
        assert (await wire.answer()).headers["x-modelfleet-region"] == "r7"
        gateway.plane.swap(Snapshot())
        assert (await gateway.ask(chat())).code == "model_not_found"


async def test_an_endpoint_that_stays_keeps_what_is_known_of_it() -> None:
    async with upstream() as one, upstream() as two, gate(one, two) as gateway:
        gateway.plane.probed({"team/0": False}, gateway.clock())
        gateway.route(one, two, model="renamed")
        answer = await gateway.ask(chat())
        assert answer.headers["x-modelfleet-region"] == "r1"
        assert two.requests[0].json["model"] == "renamed"
        gateway.swap([Endpoint("team/0", two.url, region="moved"), endpoint(two, 1, ready=False)])
        assert (await gateway.ask(chat())).headers["x-modelfleet-region"] == "moved"


@pytest.mark.parametrize("leave", [False, True])
async def test_others_are_served_while_a_large_body_is_read(*, leave: bool) -> None:
    nested = [["{"] * 1000] * 400
    async with upstream() as only, gate(only) as gateway:
        wire, other = await gateway.connect(), await gateway.connect()
        await wire.send_whole(chat(nested=nested))
        await until(lambda: any(c._work for c in gateway.intake.connections))
        if leave:
            await wire.leave()
            await until(lambda: len(gateway.intake.connections) == 1)
        assert (await other.ask(chat())).status == 200
        if not leave:
            assert (await wire.answer()).status == 200
        assert len(only.requests) == 2 - leave
