"""Settings come from the environment, and a bad one is named."""

from pathlib import Path

import pytest

from cli.local.runner.settings import SettingError, read

GIVEN = {"RUNNER_NETWORK": "127.1.0.0/16", "RUNNER_LOG_DIR": "/logs/us"}


def test_engines_get_their_settings_and_whose_they_are() -> None:
    more = {"LOCAL_ENGINE_TOKEN_SECONDS": "1", "MODELFLEET_DAEMON": "f:us", "KUBECONFIG": "/k"}
    settings = read(GIVEN | more | {"RUNNER_ENGINE_IMAGE": "a/b, c/d"})
    assert settings.handed_on == {"LOCAL_ENGINE_TOKEN_SECONDS": "1", "MODELFLEET_DAEMON": "f:us"}
    assert settings.images == ("a/b", "c/d")
    assert settings.folder == Path("/logs/us/pods")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RUNNER_LOG_DIR", ""),
        ("RUNNER_NETWORK", ""),
        ("RUNNER_NETWORK", "many"),
        ("RUNNER_NETWORK", "10.0.0.0/16"),
        ("RUNNER_NETWORK", "127.0.0.1/32"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name):
        read(GIVEN | {name: value})
