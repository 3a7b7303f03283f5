"""A gateway that others can reach asks for a key, or does not start."""

import pytest

from gateway.__main__ import check
from gateway.settings import Scope, Settings


@pytest.mark.parametrize("listen", ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1"])
@pytest.mark.parametrize("scope", Scope)
def test_this_machine_alone_needs_no_key(listen: str, scope: Scope) -> None:
    check(Settings(scope=scope, listen=listen))


@pytest.mark.parametrize("listen", ["0.0.0.0:1", "10.0.0.1:1", "[::]:1", "[2001:db8::1]:1"])
@pytest.mark.parametrize(
    ("scope", "keys", "credential", "named"),
    [
        (Scope.GLOBAL, "", "", "GATEWAY_CLIENT_KEYS_FILE"),
        (Scope.GLOBAL, "", "file", "GATEWAY_CLIENT_KEYS_FILE"),
        (Scope.GLOBAL, "file", "", ""),
        (Scope.REGIONAL, "", "", "GATEWAY_FLEET_CREDENTIAL_FILE"),
        (Scope.REGIONAL, "file", "", "GATEWAY_FLEET_CREDENTIAL_FILE"),
        (Scope.REGIONAL, "", "file", ""),
    ],
)
def test_what_others_can_reach_names_the_file_that_it_needs(
    listen: str, scope: Scope, keys: str, credential: str, named: str
) -> None:
    settings = Settings(
        scope=scope, listen=listen, client_keys_file=keys, fleet_credential_file=credential
    )
    if not named:
        check(settings)
        return
    with pytest.raises(SystemExit, match=f"^{named}: "):
        check(settings)
