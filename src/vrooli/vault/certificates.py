"""The certificates of the development Vault: its authority, and the server's. No I/O here."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from vrooli import certificates

AUTHORITY_LIFETIME = datetime.timedelta(days=3650)
SERVER_LIFETIME = datetime.timedelta(days=365)
# Setup and develop replace a certificate that ends sooner than this; the checks report one that
# neither has replaced.
RENEWED_BEFORE = datetime.timedelta(days=120)
REPORTED_BEFORE = datetime.timedelta(days=30)


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, PEM."""

    certificate: bytes
    key: bytes = field(repr=False)


def new_authority() -> Pair:
    """A new authority that signs nothing but servers' certificates."""
    key = certificates.new_key()
    named = certificates.subject("vrooli development Vault")
    builder = certificates.authority(named, key, AUTHORITY_LIFETIME, signs_data=False)
    return _pair(builder.sign(key, hashes.SHA256()), key)


def issue(authority: Pair, hosts: tuple[str, ...]) -> Pair:
    """A new server certificate for names and addresses, with a new key.

    Raises:
        TypeError: The authority's key is not an elliptic-curve key.
    """
    signer = certificates.load_key(authority.key, "the authority's key")
    issuer = x509.load_pem_x509_certificate(authority.certificate).subject
    key = certificates.new_key()
    usage = certificates.usage(signs_certificates=False, signs_data=True)
    builder = (
        certificates.builder(certificates.subject(hosts[0]), issuer, key, SERVER_LIFETIME)
        .add_extension(certificates.host_names(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(certificates.signed_by(signer), critical=False)
    )
    return _pair(builder.sign(signer, hashes.SHA256()), key)


def end(certificate: bytes) -> datetime.datetime | None:
    """When a certificate ends, UTC; None if it cannot be read."""
    try:
        return x509.load_pem_x509_certificate(certificate).not_valid_after_utc
    except ValueError:
        return None


def ends_within(certificate: bytes, time: datetime.timedelta) -> bool:
    """Whether a certificate ends within a time from now, or cannot be read."""
    last = end(certificate)
    return last is None or last < datetime.datetime.now(datetime.UTC) + time


def is_signed_by(certificate: bytes, authority: bytes) -> bool:
    """Whether an authority has signed a certificate."""
    try:
        signed = x509.load_pem_x509_certificate(certificate)
        signed.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    except Exception:  # noqa: BLE001 - whatever cannot be verified is not signed by it
        return False
    return True


def is_for(certificate: bytes, hosts: tuple[str, ...]) -> bool:
    """Whether a readable certificate has exactly these names and addresses."""
    extensions = x509.load_pem_x509_certificate(certificate).extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(names) == set(certificates.host_names(hosts))


def _pair(certificate: x509.Certificate, key: certificates.Key) -> Pair:
    return Pair(certificates.pem(certificate), certificates.key_pem(key))
