"""The cluster's certificates, checked with the library that clients would use."""

from __future__ import annotations

import ipaddress
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from vrooli.cluster.embedded.components import certificates
from vrooli.cluster.embedded.settings import HostLink

HOST_LINK = HostLink.at("10.213.0.0/16", 5)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    certificates.ensure(folder, "node", HOST_LINK)
    return folder


def _certificate(pki: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((pki / f"{name}.crt").read_bytes())


@pytest.mark.parametrize("leaf", certificates.leaves("node", HOST_LINK), ids=lambda leaf: leaf.name)
def test_each_certificate_is_signed_by_its_own_authority_only(
    pki: Path, leaf: certificates.Leaf
) -> None:
    certificate = _certificate(pki, leaf.name)
    for authority in certificates.AUTHORITIES:
        if authority == leaf.authority:
            certificate.verify_directly_issued_by(_certificate(pki, authority))
        else:
            with pytest.raises(ValueError, match=r"Issuer|issuer"):
                certificate.verify_directly_issued_by(_certificate(pki, authority))


@pytest.mark.parametrize("address", ["127.0.0.1", "10.96.0.1", HOST_LINK.node_ip])
def test_the_api_server_answers_for_every_address_that_leads_to_it(pki: Path, address: str) -> None:
    verifier = (
        PolicyBuilder()
        .store(Store([_certificate(pki, "ca")]))
        .build_server_verifier(x509.IPAddress(ipaddress.ip_address(address)))
    )
    verifier.verify(_certificate(pki, "kube-apiserver"), [])


def test_the_api_server_answers_for_no_other_address(pki: Path) -> None:
    verifier = (
        PolicyBuilder()
        .store(Store([_certificate(pki, "ca")]))
        .build_server_verifier(x509.IPAddress(ipaddress.ip_address("10.0.0.1")))
    )
    with pytest.raises(VerificationError):
        verifier.verify(_certificate(pki, "kube-apiserver"), [])


def test_a_clients_certificate_serves_nothing(pki: Path) -> None:
    uses = _certificate(pki, "admin").extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert list(uses.value) == [x509.ExtendedKeyUsageOID.CLIENT_AUTH]


def test_the_kubelet_is_its_own_node_to_the_api_server(pki: Path) -> None:
    assert (
        _certificate(pki, "kubelet").subject.rfc4514_string()
        == "CN=system:node:node,O=system:nodes"
    )


def test_keys_are_private(pki: Path) -> None:
    assert all(stat.S_IMODE(key.stat().st_mode) == 0o600 for key in pki.glob("*.key"))
    assert stat.S_IMODE(pki.stat().st_mode) == 0o700


def test_authorities_last_while_leaves_are_made_anew(tmp_path: Path) -> None:
    certificates.ensure(tmp_path / "pki", "node", HOST_LINK)
    before = {path.name: path.read_bytes() for path in (tmp_path / "pki").iterdir()}
    certificates.ensure(tmp_path / "pki", "node", HOST_LINK)
    after = {path.name: path.read_bytes() for path in (tmp_path / "pki").iterdir()}
    same = {name for name in before if before[name] == after[name]}
    lasting = {f"{name}.{kind}" for name in certificates.AUTHORITIES for kind in ("crt", "key")}
    assert same == lasting | {"service-accounts.key", "service-accounts.pub", "encryption.key"}
