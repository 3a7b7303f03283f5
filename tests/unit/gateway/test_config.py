"""A gateway's file: what it routes to, and how a mistake in it is named."""

from pathlib import Path

import pytest

from gateway.__main__ import configured
from gateway.config import ConfigError, read, snapshot
from gateway.settings import Settings
from gateway.settings import read as settings
from gateway.snapshot import Affinity, Endpoint, Queue, Rule, Service, Shadow, Snapshot, Tls

EXAMPLE = Path(__file__).parents[3] / "examples" / "gateway.yaml"
WHOLE = """
settings: {listen: "0.0.0.0:80", workers: 3, plain_http: true, client_keys_file: keys}
models:
- name: phi
  aliases: [gpt]
  cheapestFirst: true
  continuation: true
  hedge: {afterMilliseconds: 250}
  shadow: {endpoints: [b], percent: 10}
  affinity: {header: X-Session}
  rules: [{headers: [{name: X-Tenant}], endpoints: [b]}]
  queue: {length: 3, seconds: 4}
  endpoints:
  - {name: a, url: "http://127.0.0.1:1/v1/", adapters: [sql], maxInFlight: 5, probe: ""}
  - name: b
    url: https://api.example/v1
    model: inside
    credential: b.key
    tls: {serverName: inside.example, authority: ca.crt, certificate: pair}
    price: {inputPerMillion: 1, outputPerMillion: 3}
    priority: 1
    weight: 2
"""
ONE = "models: [{name: phi, endpoints: [{name: a, url: http://h/v1}]}]"


def written(folder: Path, text: str) -> Path:
    path = folder / "gateway.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_says_all_that_routes_are_made_of(tmp_path: Path) -> None:
    local = Endpoint("phi/a", "http://127.0.0.1:1/v1", model="phi", places=5, adapters=("sql",))
    bought = Endpoint(
        "phi/b",
        "https://api.example/v1",
        model="inside",
        probe="https://api.example/v1/models",
        priority=1,
        weight=2,
        credential="b.key",
        tls=Tls("inside.example", "ca.crt", "pair"),
        price=(1, 3),
        cost=(1.5, 0),
    )
    expected = Service(
        "phi",
        ("phi", "gpt", "sql"),
        (local, bought),
        listed=3,
        queue=Queue(3, 4),
        rules=(Rule((("x-tenant", ""),), ("phi/b",)),),
        shadow=Shadow(10, ("phi/b",)),
        affinity=Affinity("x-session"),
        hedge=0.25,
        continues=True,
        adapters=(("sql", "sql"),),
    )
    assert snapshot(read(written(tmp_path, WHOLE))) == Snapshot((expected,))


def test_settings_of_the_file_count_unless_the_environment_says_otherwise(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE)
    environ = {"GATEWAY_CONFIG_FILE": str(path), "GATEWAY_WORKERS": "1"}
    found = settings({**environ, **configured(environ)})
    assert found == Settings(
        config_file=str(path),
        listen="0.0.0.0:80",
        workers=1,
        plain_http=True,
        client_keys_file=str(tmp_path / "keys"),
    )
    assert configured({}) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("models: [", "parsing"),
        ("{}", "missing required field `models`"),
        (f"{ONE}\nmodel: []", "unknown field `model`"),
        ("models: [{name: 3, endpoints: []}]", r"models\[0\].name: Expected `str`"),
        ("models: [{name: a b, endpoints: []}]", r"models\[0\].name: "),
        ("models: [{name: a, endpoints: [{name: a}]}]", r"models\[0\].endpoints\[0\]: .*`url`"),
        ("models: [{name: a, endpoints: []}, {name: a, endpoints: []}]", r"models\[1\]: `a` is"),
        (ONE.replace("http://h/v1", "h/v1"), r"models\[0\].endpoints\[0\].url: `h/v1` is no URL"),
        (ONE.replace("http://h/v1", "'http://[h'"), r"endpoints\[0\].url: .* is no URL"),
        (ONE.replace("/v1", "/v1, credential: k"), r"endpoints\[0\].url: must begin with https"),
        (ONE.replace("/v1", "/v1, tls: {authority: ../k}"), r"endpoints\[0\]: `../k` must lie"),
        (ONE.replace("/v1", "/v1, weight: -1"), r"endpoints\[0\].weight: Expected `int` >= 0"),
        (ONE.replace("]}]", "], shadow: {endpoints: [b]}}]"), r"shadow.endpoints: no .* `b`"),
        (ONE.replace("]}]", "], affinity: {}}]"), r"models\[0\].affinity: name a header"),
        (ONE.replace("{name: a,", "{name: a, url: http://i}, {name: a,"), "`a` is there twice"),
    ],
)
def test_a_mistake_is_named_by_its_field(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("models: 3", "Expected `array`"),
        ("models: []\nsettings: {listne: a}", "settings.listne: there is no such setting"),
    ],
)
def test_a_gateway_does_not_start_by_a_wrong_file(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SystemExit, match=f"gateway.yaml: .*{words}"):
        configured({"GATEWAY_CONFIG_FILE": str(written(tmp_path, text))})


def test_the_example_is_a_file_that_a_gateway_takes() -> None:
    found = settings(configured({"GATEWAY_CONFIG_FILE": str(EXAMPLE)}))
    assert found.listen == "127.0.0.1:8080"
    (service,) = snapshot(read(EXAMPLE)).services
    assert service.models == ("phi-4-mini", "gpt-4o-mini", "sql")
    assert [each.name for each in service.endpoints] == [
        f"phi-4-mini/{name}" for name in ("gpu-1", "gpu-2", "hosted")
    ]
