"""The certificates of the development Vault: names, uses, ends and signatures."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from vrooli.vault import certificates, tls
from vrooli.vault.certificates import Pair

DAY = datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def authority() -> Iterator[Pair]:
    """An authority."""
    yield certificates.new_authority()


@pytest.fixture(scope="module")
def server(authority: Pair) -> Pair:
    """A server's certificate of it."""
    return certificates.issue(authority, tls.HOSTS)


def test_a_server_certificate_is_for_its_hosts_and_signs_nothing(server: Pair) -> None:
    assert certificates.is_for(server.certificate, tls.HOSTS)
    assert not certificates.is_for(server.certificate, tls.HOSTS[:1])
    read = x509.load_pem_x509_certificate(server.certificate).extensions
    assert not read.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not read.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


def test_an_authority_signs_servers_only(authority: Pair) -> None:
    read = x509.load_pem_x509_certificate(authority.certificate).extensions
    constraints = read.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)


def test_only_its_own_authority_has_signed_a_certificate(authority: Pair, server: Pair) -> None:
    assert certificates.is_signed_by(server.certificate, authority.certificate)
    other = certificates.new_authority()
    assert not certificates.is_signed_by(server.certificate, other.certificate)
    assert not certificates.is_signed_by(server.certificate, b"none")


def test_each_certificate_has_a_new_key_that_fits(authority: Pair, server: Pair) -> None:
    again = certificates.issue(authority, tls.HOSTS)
    assert again.key != server.key
    key = serialization.load_pem_private_key(again.key, password=None)
    read = x509.load_pem_x509_certificate(again.certificate)
    assert read.public_key() == key.public_key()


def test_a_certificate_ends_after_its_lifetime(server: Pair) -> None:
    assert not certificates.ends_within(server.certificate, certificates.SERVER_LIFETIME - DAY)
    assert certificates.ends_within(server.certificate, certificates.SERVER_LIFETIME + DAY)
    assert certificates.ends_within(b"not a certificate", DAY)


def test_a_key_is_in_no_text_of_a_pair(server: Pair) -> None:
    assert "PRIVATE" not in repr(server)
