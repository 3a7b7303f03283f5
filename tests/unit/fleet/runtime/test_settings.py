"""Settings are read from the environment once; what is wrong names its variable."""

from dataclasses import dataclass

import pytest

from fleet.runtime.settings import SettingsError, read


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    workers: int = 4
    listen_on: str = "127.0.0.1:8080"
    beside: bool = False
    limit: float | None = None
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needy:
    server: str
    token: int = 0


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, Settings()),
        ({"HUB_WORKERS": "9", "WORKERS": "1", "HUB_OTHER": "x"}, Settings(workers=9)),
        ({"HUB_LISTEN_ON": "", "HUB_BESIDE": "true"}, Settings(listen_on="", beside=True)),
        ({"HUB_LIMIT": "2.5", "hub_workers": "3"}, Settings(limit=2.5)),
    ],
)
def test_each_field_has_a_variable_with_the_programs_prefix(
    environ: dict[str, str], expected: Settings
) -> None:
    assert read(Settings, "HUB_", environ) == expected


def test_all_that_is_wrong_is_said_at_once_by_its_variable() -> None:
    with pytest.raises(SettingsError) as caught:
        read(Settings, "HUB_", {"HUB_WORKERS": "many", "HUB_BESIDE": "perhaps"})
    first, second = str(caught.value).split("; ")
    assert first.startswith("HUB_WORKERS: Input should be a valid integer")
    assert second.startswith("HUB_BESIDE: Input should be a valid boolean")


def test_what_is_missing_is_named_and_no_value_is_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        read(Needy, "HUB_", {"HUB_TOKEN": "hunter2"})
    assert "HUB_SERVER: Field required" in str(caught.value)
    assert "HUB_TOKEN: " in str(caught.value)
    assert "hunter2" not in str(caught.value)
