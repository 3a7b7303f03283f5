"""Settings come from the environment, and a bad one is named."""

import pytest

from cli.local.engine.settings import Settings, read


def test_what_is_not_given_is_as_it_was() -> None:
    given = {"LOCAL_ENGINE_TOKEN_SECONDS": "0.5", "LOCAL_ENGINE_BIND": "127.1.0.1", "HOME": "/"}
    assert read(given) == Settings(token_seconds=0.5, bind="127.1.0.1")


@pytest.mark.parametrize("text", ["soon", "-1"])
def test_a_bad_setting_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="LOCAL_ENGINE_STARTUP_SECONDS"):
        read({"LOCAL_ENGINE_STARTUP_SECONDS": text})
