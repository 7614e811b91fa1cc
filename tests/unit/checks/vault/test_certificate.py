"""The CA that the check verifies Vault's certificate with."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from support.fakes import check_site
from support.fakes.cluster import FakeCluster
from vrooli.checks.interface import Site
from vrooli.checks.vault import certificate
from vrooli.checks.vault.request import vault_request
from vrooli.errors import PrerequisiteError
from vrooli.vault import manifests, tls
from vrooli.vault.address import parse_address

NAME = "vrooli-vault-ca"
OTHER = "https://vault.example.svc:8200"
# Nothing listens there.
PORT = 1


def site(*objects: dict[str, Any], environment: str = "prod", **vso: Any) -> Site:
    """A release in namespace dev."""
    release = check_site.rendered(environment, vso=vso)
    return check_site.site(release, FakeCluster(*objects))


async def verify(where: Site) -> str:
    request = vault_request(where)
    assert request is not None
    address = parse_address(request.address)
    assert address is not None
    return await certificate.verify(where, request, address, PORT)


def secret(**data: bytes) -> dict[str, Any]:
    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    return {"kind": "Secret", "metadata": {"name": NAME}, "data": encoded}


@pytest.mark.parametrize(
    ("environment", "vso"),
    [
        ("dev", {}),
        ("dev", {"vaultAddr": OTHER, "caCertSecretName": NAME, "skipTLSVerify": True}),
        ("prod", {"vaultAddr": OTHER, "caCertSecretName": ""}),
    ],
    ids=["http", "skipped", "the operator's CAs"],
)
async def test_what_the_operator_does_not_verify_with_a_secret_is_not_verified(
    environment: str, vso: dict[str, Any]
) -> None:
    assert await verify(site(environment=environment, **vso)) == ""


async def test_a_missing_secret_stops_the_deploy_with_the_command_that_creates_it() -> None:
    with pytest.raises(PrerequisiteError, match="does not exist") as raised:
        await verify(site(vaultAddr=OTHER))
    assert f"kubectl create secret generic {NAME} -n dev" in raised.value.advice


async def test_the_copy_that_a_deploy_makes_need_not_exist() -> None:
    kube = FakeCluster(manifests.namespace(), *manifests.server())
    release = check_site.site(check_site.rendered("prod"), kube)
    with pytest.raises(PrerequisiteError, match="has not published its CA"):
        await verify(release)  # a development Vault of an earlier version
    await tls.ensure(kube)
    with pytest.raises(PrerequisiteError, match="accepts no TLS connection"):
        await verify(release)


async def test_another_vault_at_the_same_address_needs_the_secret() -> None:
    with pytest.raises(PrerequisiteError, match="does not exist"):
        await verify(site())


@pytest.mark.parametrize(
    ("data", "message"),
    [({"tls.crt": b"x"}, "has no key ca.crt"), ({"ca.crt": b"x"}, "contains no certificate")],
)
async def test_a_secret_without_a_certificate_is_named(
    data: dict[str, bytes], message: str
) -> None:
    with pytest.raises(PrerequisiteError, match=message):
        await verify(site(secret(**data), vaultAddr=OTHER))


async def test_a_certificate_that_ends_soon_is_a_warning() -> None:
    request = vault_request(site())
    assert request is not None
    later = {"notAfter": "Jan  1 00:00:00 2125 GMT"}
    soon = {"notAfter": "Jan  1 00:00:00 2025 GMT"}
    assert certificate._warning(later, request) == ""
    assert "vrooli setup" in certificate._warning(soon, request)
