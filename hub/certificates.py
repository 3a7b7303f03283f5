"""Certificates and secrets of the gateways: made here, and read again from their PEM."""

import ipaddress
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BACKDATED: Final = timedelta(minutes=10)
"""So that a certificate is valid at once where a clock is behind ours."""
SECRET_BYTES: Final = 32
NAME: Final = "modelfleet-gateway"


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with its key, as PEM."""

    cert: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says of itself."""

    key_id: str
    """Of its own key; those that it signed name it as their `issuer_id`."""
    issuer_id: str
    names: frozenset[str]
    """Host names and IP addresses that it stands for."""
    since: datetime
    """When it was made."""
    until: datetime

    def at(self, part: float) -> datetime:
        """Tell when this part of its life is over."""
        return self.since + (self.until - self.since) * part


class Maker(Protocol):
    """Where fresh key material comes from."""

    def authority(self, now: datetime, life: timedelta) -> Pair: ...

    def certificate(self, signer: Pair, names: Iterable[str], span: "Span") -> Pair:
        """Sign a certificate for these host names and addresses."""

    def secret(self) -> str:
        """Give a secret that fits into a header."""


@dataclass(frozen=True, slots=True)
class Span:
    since: datetime
    until: datetime


def read(pem: str) -> Certificate | None:
    """Read the first certificate of a PEM; None where there is none of ours."""
    try:
        cert = x509.load_pem_x509_certificate(pem.encode())
        own = cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        issuer = cert.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        names = frozenset(_names(cert))
    except (ValueError, x509.ExtensionNotFound):
        return None
    return Certificate(
        key_id=own.digest.hex(),
        issuer_id=(issuer.key_identifier or b"").hex(),
        names=names,
        since=cert.not_valid_before_utc + BACKDATED,
        until=cert.not_valid_after_utc,
    )


def belongs(pair: Pair) -> bool:
    """Whether the key is that of the certificate."""
    try:
        cert = x509.load_pem_x509_certificate(pair.cert.encode())
        key = serialization.load_pem_private_key(pair.key.encode(), None)
    except (ValueError, TypeError):
        return False
    return isinstance(key, ec.EllipticCurvePrivateKey) and key.public_key() == cert.public_key()


def presentable(host: str) -> bool:
    """Whether a certificate can stand for a host."""
    try:
        _alternative(host)
    except ValueError:
        return False
    return bool(host)


class FreshKeys:
    """Key material from the system's randomness: ECDSA over P-256, which all clients know."""

    def authority(self, now: datetime, life: timedelta) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key()
        own = x509.SubjectKeyIdentifier.from_public_key(public)
        subject = _subject(f"{NAME} authority {own.digest.hex()[:8]}")
        usage = _usage(signs_certificates=True)
        built = _builder(subject, subject, public, Span(now, now + life))
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        built = built.add_extension(usage, critical=True)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
        return _pair(built.add_extension(issuer, critical=False).sign(key, hashes.SHA256()), key)

    def certificate(self, signer: Pair, names: Iterable[str], span: Span) -> Pair:
        authority = x509.load_pem_x509_certificate(signer.cert.encode())
        signing = serialization.load_pem_private_key(signer.key.encode(), None)
        assert isinstance(signing, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        built = _builder(_subject(NAME), authority.subject, key.public_key(), span)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
        hosts = x509.SubjectAlternativeName([_alternative(name) for name in sorted(names)])
        serves = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        built = built.add_extension(hosts, critical=False)
        built = built.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        built = built.add_extension(_usage(signs_certificates=False), critical=True)
        built = built.add_extension(serves, critical=False)
        return _pair(
            built.add_extension(issuer, critical=False).sign(signing, hashes.SHA256()), key
        )

    def secret(self) -> str:
        return secrets.token_urlsafe(SECRET_BYTES)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, span: Span
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(span.since - BACKDATED)
        .not_valid_after(span.until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pair(cert: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private = key.private_bytes(pem, form, serialization.NoEncryption())
    return Pair(cert.public_bytes(pem).decode(), private.decode())


def _subject(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _names(cert: x509.Certificate) -> Iterable[str]:
    try:
        found = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    yield from found.get_values_for_type(x509.DNSName)
    yield from map(str, found.get_values_for_type(x509.IPAddress))
