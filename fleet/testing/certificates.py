"""An authority that signs what a test needs, apart from the one that the hub has."""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fleet.runtime import clock

LIFE = timedelta(days=1)


class Pair(NamedTuple):
    """A certificate and its key, as PEM."""

    cert: bytes
    key: bytes


class PairFiles(NamedTuple):
    cert: str
    key: str


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@dataclass
class Authority:
    name: str = "a test"

    @cached_property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    def _builder(self, subject: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = clock.now()
        return (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name(self.name))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - LIFE)
            .not_valid_after(now + LIFE)
        )

    @cached_property
    def cert(self) -> bytes:
        """What a client trusts, as PEM."""
        builder = self._builder(self.name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        made = builder.sign(self._key, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM)

    def issue(self, *names: str) -> Pair:
        """Sign a certificate for these hosts."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(names[0], key.public_key()).add_extension(
            x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False
        )
        made = builder.sign(self._key, hashes.SHA256())
        return Pair(made.public_bytes(serialization.Encoding.PEM), _pem(key))


def write_pair(folder: Path, pair: Pair) -> PairFiles:
    """Put a pair where a gateway finds it, in the place of the one before."""
    for name, content in (("tls.crt", pair.cert), ("tls.key", pair.key)):
        new = folder / f"{name}.new"
        new.write_bytes(content)
        new.replace(folder / name)
    return PairFiles(str(folder / "tls.crt"), str(folder / "tls.key"))
