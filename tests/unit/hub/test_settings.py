"""Settings of the hub: what the environment says, what the flags say over it, and what is wrong."""

import pytest

from fleet.runtime.settings import SettingsError
from hub.settings import CONTROLLERS, Settings, settings


def test_without_a_word_everything_has_its_default() -> None:
    assert settings([], {}) == Settings()
    assert Settings().heartbeat_timeout_seconds == 300
    assert Settings().force_leave_seconds == 900


def test_the_environment_is_read_under_its_prefix() -> None:
    environ = {
        "HUB_WORKERS": "8",
        "HUB_HEARTBEAT_TIMEOUT_SECONDS": "90",
        "HUB_HEALTH_LISTEN": "127.0.0.1:8080",
        "WORKERS": "3",
        "HUB_SOMETHING_ELSE": "x",
        "HUB_CONTROLLERS": "placement",
    }
    given = settings([], environ)
    assert (given.workers, given.heartbeat_timeout_seconds) == (8, 90)
    assert given.health_listen == "127.0.0.1:8080"
    assert given.controllers == CONTROLLERS


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HUB_WORKERS", "many"),
        ("HUB_WORKERS", "1.5"),
        ("HUB_RESYNC_SECONDS", "5m"),
        ("HUB_FORCE_LEAVE_SECONDS", ""),
        ("HUB_WORKERS", "0"),
        ("HUB_RESYNC_SECONDS", "0"),
        ("HUB_HEARTBEAT_TIMEOUT_SECONDS", "-1"),
        ("HUB_HEALTH_TIMEOUT_SECONDS", "inf"),
        ("HUB_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable}: "):
        settings([], {variable: value})


def test_every_wrong_value_is_named() -> None:
    environ = {"HUB_WORKERS": "x", "HUB_RESYNC_SECONDS": "y"}
    with pytest.raises(SettingsError) as caught:
        settings([], environ)
    assert "HUB_WORKERS" in str(caught.value)
    assert "HUB_RESYNC_SECONDS" in str(caught.value)


def test_a_flag_stands_over_the_environment() -> None:
    environ = {"HUB_HEARTBEAT_TIMEOUT_SECONDS": "90", "HUB_HEALTH_TIMEOUT_SECONDS": "80"}
    flags = ["--heartbeat-timeout", "2m", "--force-delete-wait-time", "1m"]
    given = settings(flags, environ)
    assert (given.heartbeat_timeout_seconds, given.health_timeout_seconds) == (120, 80)
    assert given.force_leave_seconds == 60


@pytest.mark.parametrize(("arguments", "environ"), [(["--beside"], {}), ([], {"HUB_BESIDE": "1"})])
def test_members_and_placements_may_be_left_to_another(
    arguments: list[str], environ: dict[str, str]
) -> None:
    given = settings(arguments, environ)
    assert given.beside
    assert given.controllers == ("workload-status", "endpoints", "services", "model-deployment")


@pytest.mark.parametrize(
    ("arguments", "environ"), [(["--take-over"], {}), ([], {"HUB_TAKE_OVER": "1"})]
)
def test_a_take_over_is_refused_with_the_way_out(
    arguments: list[str], environ: dict[str, str]
) -> None:
    with pytest.raises(SettingsError, match=r"^--take-over .*; stop KubeFleet's hub agent instead"):
        settings(arguments, environ)


def test_some_controllers_may_run_alone() -> None:
    given = settings(["--controllers", "scheduling, rollout,"], {})
    assert given.controllers == ("scheduling", "rollout")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        ("250ms", 0.25),
        ("1.5s", 1.5),
        ("1m0.5s", 60.5),
        ("24h", 86400),
    ],
)
def test_a_duration_is_read_as_go_writes_it(text: str, seconds: float) -> None:
    assert settings(["--health-timeout", text], {}).health_timeout_seconds == seconds


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--heartbeat-timeout", "5"], "not a duration such as 90s, 5m or 1h30m: 5"),
        (["--heartbeat-timeout", "5m!"], "--heartbeat-timeout"),
        (["--health-timeout", ""], "--health-timeout"),
        (["--heartbeat-timeout", "0s"], "--heartbeat-timeout: must be longer than nothing: 0s"),
        (["--health-timeout", "0m0.0s"], "--health-timeout: must be longer than nothing: 0m0.0s"),
        (
            ["--controllers", "placement,plcement"],
            "no such controller: plcement; there are membership,",
        ),
        (["--controllers", " ,"], "name one at least of membership,"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_a_wrong_flag_is_named(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        settings(arguments, {})
    assert words in capsys.readouterr().err
