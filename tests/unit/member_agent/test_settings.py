"""The agent's settings: what must be given, and what is said where it is not."""

import pytest

from fleet.runtime.settings import SettingsError
from member_agent.settings import settings

NEEDED = {
    "MEMBER_AGENT_CLUSTER": "us",
    "MEMBER_AGENT_HUB_URL": "https://hub.example",
    "MEMBER_AGENT_HUB_TOKEN_FILE": "/var/run/token",
}


def test_what_is_given_is_taken_and_the_rest_has_a_default() -> None:
    given = settings([], {**NEEDED, "MEMBER_AGENT_WORKERS": "8", "OTHER": "x"})
    assert (given.cluster, given.hub_url, given.workers) == ("us", "https://hub.example", 8)
    assert given.launch_seconds == 300
    assert given.engine_image.startswith("vllm/vllm-openai:v")


@pytest.mark.parametrize("missing", NEEDED)
def test_what_must_be_given_is_named(missing: str) -> None:
    environ = {name: value for name, value in NEEDED.items() if name != missing}
    with pytest.raises(SettingsError, match=f"^not set: {missing}$"):
        settings([], environ)


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        settings([], {})
    assert str(error.value) == f"not set: {', '.join(NEEDED)}"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MEMBER_AGENT_WORKERS", "many"),
        ("MEMBER_AGENT_WORKERS", "0"),
        ("MEMBER_AGENT_LAUNCH_SECONDS", "0"),
        ("MEMBER_AGENT_RESYNC_SECONDS", "nan"),
        ("MEMBER_AGENT_RESYNC_SECONDS", "-1"),
        ("MEMBER_AGENT_LOG_LEVEL", "LOUD"),
        ("MEMBER_AGENT_HUB_TOKEN_SECRET", "modelfleet-hub-token"),
        ("MEMBER_AGENT_HUB_TOKEN_SECRET", "modelfleet-system/"),
        ("MEMBER_AGENT_GATEWAY_SERVICE", "modelfleet-gateway"),
        ("MEMBER_AGENT_GATEWAY_SERVICE", "modelfleet-system/"),
        ("MEMBER_AGENT_GATEWAY_URL", "http://10.0.0.7:8080/v1"),
        ("MEMBER_AGENT_GATEWAY_URL", "http://eu.example/v1"),
        ("MEMBER_AGENT_GATEWAY_URL", "eu.example"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable}: "):
        settings([], {**NEEDED, variable: value})


@pytest.mark.parametrize(
    "url",
    [
        "https://eu.example/v1",
        "http://127.0.0.1:8080/v1",
        "http://[::1]:1/v1",
        "http://localhost/v1",
    ],
)
def test_a_gateway_speaks_tls_or_is_on_this_machine(url: str) -> None:
    assert settings([], {**NEEDED, "MEMBER_AGENT_GATEWAY_URL": url}).gateway_url == url


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [(["--beside"], {}), ([], {"MEMBER_AGENT_BESIDE": "true"})],
)
def test_inference_may_be_left_to_another(arguments: list[str], environ: dict[str, str]) -> None:
    assert settings(arguments, NEEDED | environ).beside
    assert not settings([], NEEDED).beside


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [(["--take-over"], {}), ([], {"MEMBER_AGENT_TAKE_OVER": "true"})],
)
def test_a_take_over_is_refused_with_the_way_out(
    arguments: list[str], environ: dict[str, str]
) -> None:
    with pytest.raises(
        SettingsError, match=r"^--take-over .*; stop KAITO instead: the agent then goes on"
    ):
        settings(arguments, NEEDED | environ)
