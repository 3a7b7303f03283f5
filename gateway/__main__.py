"""`python -m gateway`: the supervisor of one gateway, global or regional."""

import ipaddress
import os
import resource
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Final

from fleet.runtime import logs
from gateway import access, config, supervisor, tls
from gateway.settings import Scope, Settings, read

DESCRIPTORS: Final = 1 << 20
"""More than any worker's connections need."""
CONFIG_FILE: Final = "GATEWAY_CONFIG_FILE"
VARIABLES: Final = frozenset(f"GATEWAY_{field.name}".upper() for field in fields(Settings))


def check(settings: Settings) -> None:
    """Refuse what cannot serve, and off this machine to let in everybody or to be overheard."""
    _check_certificates(settings)
    _check_log(settings)
    if not ipaddress.ip_address(settings.address[0]).is_loopback:
        _check_strangers(settings)


def _check_strangers(settings: Settings) -> None:
    regional = settings.scope is Scope.REGIONAL
    keys = settings.fleet_credential_file if regional else settings.client_keys_file
    here = f"to listen on {settings.listen}, which others can reach"
    if not keys:
        name = "GATEWAY_FLEET_CREDENTIAL_FILE" if regional else "GATEWAY_CLIENT_KEYS_FILE"
        raise SystemExit(f"{name}: needed {here}")
    if not (settings.tls_cert_file or settings.plain_http):
        otherwise = "GATEWAY_PLAIN_HTTP=true where TLS ends in front of the gateway"
        raise SystemExit(f"GATEWAY_TLS_CERT_FILE: needed {here}; or {otherwise}")


def _check_log(settings: Settings) -> None:
    there = settings.access_log
    if there in ("", access.STANDARD_OUTPUT):
        return
    try:
        os.close(access.opened(there))
    except OSError as error:
        raise SystemExit(f"GATEWAY_ACCESS_LOG: {there}: {error.strerror}") from error


def _check_certificates(settings: Settings) -> None:
    """Name what is missing or wrong while somebody looks; later the last good ones serve on."""
    cert, key = settings.tls_cert_file, settings.tls_key_file
    if bool(cert) != bool(key):
        name, other = ("KEY", "CERT") if cert else ("CERT", "KEY")
        raise SystemExit(f"GATEWAY_TLS_{name}_FILE: needed with GATEWAY_TLS_{other}_FILE")
    name = "GATEWAY_TLS_CERT_FILE"
    try:
        if cert:
            tls.serving(cert, key)
        name = "GATEWAY_UPSTREAM_CA_FILE"
        if settings.upstream_ca_file:
            tls.trusting(settings.upstream_ca_file)
    except tls.TlsError as error:
        raise SystemExit(f"{name}: {error}") from error


def configured(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Give the settings of a configuration file, which the environment has its word over."""
    path = environ.get(CONFIG_FILE, "")
    if not path:
        return {}
    try:
        given = config.environment(config.read(Path(path)), Path(path).resolve().parent)
    except config.ConfigError as error:
        raise SystemExit(f"{path}: {error}") from error
    for name in given:
        if name not in VARIABLES:
            raise SystemExit(f"{path}: settings.{name[8:].lower()}: there is no such setting")
    return {name: value for name, value in given.items() if name not in environ}


def raise_limit() -> None:
    """Open as many connections as the machine allows, and not as few as a shell does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def main() -> None:
    # Every process reads its settings from the environment.
    os.environ.update(configured(os.environ))
    settings = read(os.environ)
    check(settings)
    logs.configure(settings.log_level)
    raise_limit()
    try:
        supervisor.run(settings.address, settings.workers, settings.drain_seconds)
    except OSError as error:
        raise SystemExit(f"GATEWAY_LISTEN: {settings.listen}: {error.strerror}") from error


if __name__ == "__main__":
    main()
