"""`python -m fleet.runtime.probe URL`: whether a program answers, for an image without curl."""

import ssl
import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

PATIENCE_SECONDS = 3.0
LONGEST_ANSWER = 500
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def trouble(url: str) -> str:
    """Ask once, and give what is wrong; nothing where the answer is 200."""
    parts = urlsplit(url)
    try:
        connection = _connection(parts.scheme, parts.hostname or "", parts.port)
        connection.request("GET", parts.path or "/")
        answer = connection.getresponse()
        said = answer.read(LONGEST_ANSWER).decode("utf-8", "replace").strip()
    except (OSError, HTTPException, ValueError) as error:
        return f"{url}: {error}"
    return "" if answer.status == HTTPStatus.OK else f"{url}: {answer.status} {said}"


def _connection(scheme: str, host: str, port: int | None) -> HTTPConnection:
    if scheme == "http":
        return HTTPConnection(host, port, timeout=PATIENCE_SECONDS)
    if scheme != "https":
        raise ValueError("must begin with http:// or https://")
    trust = ssl.create_default_context()
    if host in LOOPBACK:
        # A certificate names the gateway's Service, not this machine.
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    return HTTPSConnection(host, port, timeout=PATIENCE_SECONDS, context=trust)


def main(arguments: list[str]) -> None:
    if len(arguments) != 1:
        raise SystemExit("usage: python -m fleet.runtime.probe URL")
    if wrong := trouble(arguments[0]):
        raise SystemExit(wrong)


if __name__ == "__main__":
    main(sys.argv[1:])
