"""`python -m gateway`: the supervisor of one gateway, global or regional."""

import ipaddress
import os

from fleet.runtime import logs
from gateway import supervisor
from gateway.settings import Scope, Settings, read


def check(settings: Settings) -> None:
    """Refuse to let in everybody, other than on this machine alone."""
    regional = settings.scope is Scope.REGIONAL
    keys = settings.fleet_credential_file if regional else settings.client_keys_file
    if keys or ipaddress.ip_address(settings.address[0]).is_loopback:
        return
    name = "GATEWAY_FLEET_CREDENTIAL_FILE" if regional else "GATEWAY_CLIENT_KEYS_FILE"
    raise SystemExit(f"{name}: needed to listen on {settings.listen}, which others can reach")


def main() -> None:
    settings = read(os.environ)
    check(settings)
    logs.configure(settings.log_level)
    try:
        supervisor.run(settings.address, settings.workers, settings.drain_seconds)
    except OSError as error:
        raise SystemExit(f"GATEWAY_LISTEN: {settings.listen}: {error.strerror}") from error


if __name__ == "__main__":
    main()
