"""Settings come from the environment, and a bad one is named."""

import pytest

from gateway.settings import Scope, Settings, read


def test_what_is_not_given_or_empty_is_as_it_was() -> None:
    given = {
        "GATEWAY_SCOPE": "regional",
        "GATEWAY_WORKERS": "2",
        "GATEWAY_PROBE_SECONDS": "0.5",
        "GATEWAY_STATE_FILE": "",
        "GATEWAY_UNKNOWN": "x",
        "WORKERS": "9",
    }
    assert read(given) == Settings(scope=Scope.REGIONAL, workers=2, probe_seconds=0.5)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SCOPE", "mars"),
        ("WORKERS", "many"),
        ("WORKERS", "0"),
        ("WORKERS", "1.5"),
        ("ATTEMPTS", "0"),
        ("BODY_BYTES", "32M"),
        ("CONNECT_SECONDS", "0"),
        ("FIRST_BYTE_SECONDS", "-1"),
        ("STALL_SECONDS", "nan"),
        ("PROBE_SECONDS", "0"),
        ("PROBE_TIMEOUT_SECONDS", "1s"),
        ("DRAIN_SECONDS", "-1"),
        ("LOG_LEVEL", "loud"),
        ("LISTEN", "8080"),
        ("LISTEN", ":8080"),
        ("LISTEN", "localhost:8080"),
        ("LISTEN", "127.0.0.1:http"),
        ("LISTEN", "127.0.0.1:65536"),
        ("LISTEN", "127.0.0.1:-1"),
        ("LISTEN", "::1"),
    ],
)
def test_a_bad_setting_is_named_by_its_variable(name: str, text: str) -> None:
    with pytest.raises(SystemExit, match=f"^GATEWAY_{name}: "):
        read({f"GATEWAY_{name}": text})


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("0.0.0.0:0", ("0.0.0.0", 0)),  # noqa: S104
        ("[::1]:443", ("::1", 443)),
    ],
)
def test_an_address_has_a_host_and_a_port(listen: str, address: tuple[str, int]) -> None:
    assert read({"GATEWAY_LISTEN": listen}).address == address


def test_a_gateway_that_drains_nothing_may_say_so() -> None:
    assert read({"GATEWAY_DRAIN_SECONDS": "0"}).drain_seconds == 0
