"""Issues X.509 certificates with keys of elliptic curves. No I/O here."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey

# Tolerance for clients whose clocks are behind.
BACKDATED = datetime.timedelta(minutes=5)


def new_key() -> Key:
    """A new private key."""
    return ec.generate_private_key(ec.SECP256R1())


def load_key(pem: bytes, name: str) -> Key:
    """Load a private key.

    Args:
        pem: The key, PEM.
        name: Its name for the error.

    Raises:
        TypeError: It is of another kind.
    """
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{name} is not an elliptic-curve key")
    return key


def key_pem(key: Key) -> bytes:
    """A private key, PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate, PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def subject(common_name: str, organization: str = "") -> x509.Name:
    """The subject of a certificate."""
    names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        names.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(names)


def builder(
    named: x509.Name, issuer: x509.Name, key: Key, lifetime: datetime.timedelta
) -> x509.CertificateBuilder:
    """A certificate to sign, valid from now on."""
    now = datetime.datetime.now(datetime.UTC)
    return x509.CertificateBuilder(
        issuer,
        named,
        key.public_key(),
        x509.random_serial_number(),
        now - BACKDATED,
        now + lifetime,
    )


def authority(
    named: x509.Name, key: Key, lifetime: datetime.timedelta, *, signs_data: bool
) -> x509.CertificateBuilder:
    """An authority to sign, by itself, that signs leaves only.

    Args:
        named: Its subject.
        key: Its key.
        lifetime: Its lifetime.
        signs_data: Whether its key may sign anything else than certificates.
    """
    return (
        builder(named, named, key, lifetime)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(signs_certificates=True, signs_data=signs_data), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def signed_by(key: Key) -> x509.AuthorityKeyIdentifier:
    """The extension that names the key of the authority."""
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def usage(*, signs_certificates: bool, signs_data: bool) -> x509.KeyUsage:
    """What a key may be used for."""
    return x509.KeyUsage(
        digital_signature=signs_data,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def host_names(hosts: Iterable[str]) -> x509.SubjectAlternativeName:
    """The names and addresses that a certificate is valid for."""
    return x509.SubjectAlternativeName([_general_name(host) for host in hosts])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
