"""A gateway that others can reach asks for a key, or does not start."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from fleet.testing.certificates import Authority, write_pair
from gateway.__main__ import check
from gateway.settings import Scope, Settings, read

REACHED = Settings(listen="10.0.0.1:1", fleet_credential_file="file", client_keys_file="file")


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
        (Scope.GLOBAL, "file", "", "GATEWAY_TLS_CERT_FILE"),
        (Scope.REGIONAL, "", "", "GATEWAY_FLEET_CREDENTIAL_FILE"),
        (Scope.REGIONAL, "file", "", "GATEWAY_FLEET_CREDENTIAL_FILE"),
        (Scope.REGIONAL, "", "file", "GATEWAY_TLS_CERT_FILE"),
    ],
)
def test_what_others_can_reach_names_the_file_that_it_needs(
    listen: str, scope: Scope, keys: str, credential: str, named: str
) -> None:
    settings = Settings(
        scope=scope, listen=listen, client_keys_file=keys, fleet_credential_file=credential
    )
    with pytest.raises(SystemExit, match=f"^{named}: "):
        check(settings)


@pytest.mark.parametrize("scope", Scope)
def test_tls_may_be_left_to_what_is_in_front(scope: Scope) -> None:
    check(replace(REACHED, scope=scope, plain_http=True))


@pytest.mark.parametrize("scope", Scope)
def test_a_gateway_with_a_certificate_listens_where_others_reach_it(
    scope: Scope, tmp_path: Path
) -> None:
    pair = write_pair(tmp_path, Authority().issue("127.0.0.1"))
    settings = replace(
        REACHED,
        scope=scope,
        tls_cert_file=pair.cert,
        tls_key_file=pair.key,
        upstream_ca_file=pair.cert,
    )
    check(settings)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tls_cert_file": ""}, "GATEWAY_TLS_CERT_FILE: needed with GATEWAY_TLS_KEY_FILE"),
        ({"tls_key_file": ""}, "GATEWAY_TLS_KEY_FILE: needed with GATEWAY_TLS_CERT_FILE"),
        ({"tls_cert_file": "/none"}, "GATEWAY_TLS_CERT_FILE: /none: No such file or directory"),
        ({"tls_key_file": "/none"}, "GATEWAY_TLS_CERT_FILE: /none: No such file or directory"),
        ({"tls_key_file": "other"}, "GATEWAY_TLS_CERT_FILE: cert, other: no certificate with"),
        ({"tls_cert_file": "odd"}, "GATEWAY_TLS_CERT_FILE: odd, key: no certificate with its key"),
        ({"upstream_ca_file": "/none"}, "GATEWAY_UPSTREAM_CA_FILE: /none: No such file"),
        ({"access_log": "/none/log"}, "GATEWAY_ACCESS_LOG: /none/log: No such file or directory"),
        ({"upstream_ca_file": "odd"}, "GATEWAY_UPSTREAM_CA_FILE: odd: no certificates"),
    ],
)
def test_a_file_that_is_missing_or_wrong_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    pair = Authority().issue("127.0.0.1")
    for name, content in (
        ("cert", pair.cert),
        ("key", pair.key),
        ("other", Authority().issue("127.0.0.1").key),
        ("odd", b"nothing"),
    ):
        Path(name).write_bytes(content)
    files = {"tls_cert_file": "cert", "tls_key_file": "key", **changed}
    with pytest.raises(SystemExit, match=f"^{re.escape(said)}"):
        check(read({f"GATEWAY_{name}".upper(): value for name, value in files.items()}))
