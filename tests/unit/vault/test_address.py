"""Whether a Vault's address is in the cluster, and which Service it names."""

from __future__ import annotations

import pytest

from vrooli.kube.objects import Ref
from vrooli.vault.address import parse_address


@pytest.mark.parametrize(
    "address",
    [
        "http://vault.vault:8200",
        "http://vault.vault.svc:8200",
        "https://vault.vault.svc:8200",
        "http://vault.vault.svc.cluster.local:8200",
        "https://vault.vault.svc.k8s.example:8200/",
        "http://vault.vault.svc.cluster.local.:8200",
    ],
)
def test_the_name_of_a_service_is_in_the_cluster_with_either_scheme(address: str) -> None:
    parsed = parse_address(address)
    assert parsed is not None
    assert parsed.is_in_cluster
    assert (parsed.service, parsed.port) == (Ref("Service", "vault", "vault"), 8200)


@pytest.mark.parametrize(
    "address",
    [
        "https://vault:8200",
        "https://vault.example.com:8200",
        "https://vault.svc.example.com",
        "http://10.0.0.1:8200",
        "https://[fd00::1]:8200",
    ],
)
def test_other_hosts_are_outside_of_the_cluster(address: str) -> None:
    parsed = parse_address(address)
    assert parsed is not None
    assert not parsed.is_in_cluster


@pytest.mark.parametrize(
    "address", ["", "vault.vault:8200", "ftp://vault.vault", "http://vault.vault:port"]
)
def test_what_is_not_a_url_is_no_address(address: str) -> None:
    assert parse_address(address) is None


@pytest.mark.parametrize(
    ("address", "port", "path"),
    [
        ("http://vault.vault", 80, ""),
        ("https://vault.vault.svc/team/", 443, "/team"),
    ],
)
def test_an_address_without_a_port_has_the_port_of_its_scheme(
    address: str, port: int, path: str
) -> None:
    parsed = parse_address(address)
    assert parsed is not None
    assert (parsed.port, parsed.path) == (port, path)
