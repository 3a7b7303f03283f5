"""Which certificate the webhook shows, and whom the API server is to believe: decided here."""

from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.certificates import Certificate, Maker, Pair, Span, belongs, read

SECRET: Final = "modelfleet-hub-webhook"  # noqa: S105
CA_CERT, CA_KEY, CERT, KEY = "ca.crt", "ca.key", "tls.crt", "tls.key"
RENEW_AT: Final = 2 / 3
"""Of a life: the rest is for who is away."""
AUTHORITY_LIFE: Final = timedelta(days=3650)
LIFE: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Keys:
    """The webhook's certificate, its authority, and the authorities that are believed."""

    authority: Pair
    own: Pair
    believed: str
    """Certificates in PEM: of this authority, and of the one before while it lasts."""

    def data(self) -> dict[str, str]:
        """Write them as the data of a Secret."""
        texts = {
            CA_CERT: self.believed,
            CA_KEY: self.authority.key,
            CERT: self.own.cert,
            KEY: self.own.key,
        }
        return {name: b64encode(text.encode()).decode() for name, text in texts.items()}


def parse(data: Mapping[str, str]) -> Keys | None:
    """Read a Secret's data; None where something is missing or no text."""
    try:
        found = [
            b64decode(data[name], validate=True).decode() for name in (CA_CERT, CA_KEY, CERT, KEY)
        ]
    except (KeyError, ValueError):
        return None
    believed, ca_key, cert, key = found
    return Keys(Pair(believed, ca_key), Pair(cert, key), believed)


def renewed(old: Keys | None, names: Collection[str], now: datetime, maker: Maker) -> Keys | None:
    """Give other keys where the old ones do not do; None while they do."""
    sound = old is not None and belongs(old.authority)
    authority = read(old.authority.cert) if old and sound else None
    if old is None or authority is None or now >= authority.at(RENEW_AT):
        signer = maker.authority(now, AUTHORITY_LIFE)
        before = old.believed if old and authority and now < authority.until else ""
        return _signed(signer, f"{signer.cert}{before}", names, now, maker)
    if belongs(old.own) and _serves(read(old.own.cert), authority, names, now):
        return None
    return _signed(old.authority, old.believed, names, now, maker)


def _signed(
    signer: Pair, believed: str, names: Collection[str], now: datetime, maker: Maker
) -> Keys:
    own = maker.certificate(signer, names, Span(now, now + LIFE))
    return Keys(Pair(believed, signer.key), own, believed)


def _serves(
    own: Certificate | None, authority: Certificate, names: Collection[str], now: datetime
) -> bool:
    return (
        own is not None
        and own.issuer_id == authority.key_id
        and own.names == frozenset(names)
        and now < own.at(RENEW_AT)
    )
