"""The Vault of a secret, with a token that can write it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.release.rotated_secrets import NAME, PLACE, POSTGRES_SYNC, FakeVault
from vrooli.errors import PrerequisiteError
from vrooli.rotation import vault_values
from vrooli.rotation.model import Rotated, Target
from vrooli.vault import server

TARGET = Target(PLACE, POSTGRES_SYNC, name=Rotated.POSTGRES)
LOGIN = {
    "kind": "VaultAuth",
    "metadata": {"name": f"{NAME}-vault"},
    "spec": {"vaultConnectionRef": "connection"},
}

pytestmark = pytest.mark.anyio


def cluster(address: str) -> FakeCluster:
    connection = {"metadata": {"name": "connection"}, "spec": {"address": address}}
    return FakeCluster(LOGIN, {"kind": "VaultConnection", **connection})


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> FakeVault:
    """The Vault, by either way; without variables of the environment."""
    result = FakeVault(TARGET.path, {})

    @asynccontextmanager
    async def connect(kube: object) -> AsyncIterator[FakeVault]:
        yield result

    def client(address: str, token: str, **settings: Any) -> FakeVault:
        assert (address, token) == ("https://vault.example.com", "t")
        assert settings == {"verify": "/ca.crt", "namespace": ""}
        return result

    for name in ("VAULT_ADDR", "VAULT_TOKEN", "VAULT_CACERT", "VAULT_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(server, "connect", connect)
    monkeypatch.setattr(vault_values, "VaultClient", client)
    return result


async def test_the_development_vault_needs_no_token(vault: FakeVault) -> None:
    kube = cluster("https://vault.vault.svc:8200")
    async with vault_values.connect(kube, TARGET) as connected:
        assert connected is vault  # type: ignore[comparison-overlap]


async def test_another_vault_needs_its_address_and_a_token(
    vault: FakeVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    kube = cluster("https://vault.example.com")
    for name in ("VAULT_ADDR", "VAULT_TOKEN"):
        with pytest.raises(PrerequisiteError, match=f"{name} is not set"):
            async with vault_values.connect(kube, TARGET):
                pass
        value = "https://vault.example.com" if name == "VAULT_ADDR" else "t"
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("VAULT_CACERT", "/ca.crt")
    async with vault_values.connect(kube, TARGET):
        pass


async def test_a_vault_of_others_in_the_same_namespace_needs_them_too(vault: FakeVault) -> None:
    service = {"kind": "Service", "metadata": {"name": "vault", "namespace": "vault"}}
    kube = cluster("http://vault.vault.svc:8200")
    kube.add(namespace("vault"))
    kube.add(service)
    with pytest.raises(PrerequisiteError, match="was not installed by vrooli") as refused:
        async with vault_values.reach(kube, TARGET, "read"):
            pass
    assert "a token that can read secret/vrooli/secrets/postgres" in refused.value.advice


@pytest.mark.parametrize(
    "address", ["http://vault.example.com", "http://127.0.0.1.example.com", "vault.example.com"]
)
async def test_a_vault_elsewhere_without_tls_is_refused(
    vault: FakeVault, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("VAULT_ADDR", address)
    monkeypatch.setenv("VAULT_TOKEN", "t")
    with pytest.raises(PrerequisiteError, match="VAULT_ADDR is not an https address"):
        async with vault_values.connect(cluster("https://vault.example.com"), TARGET):
            pass


@pytest.mark.parametrize("allowed", [{"read"}, {"deny"}, {"create", "read"}])
async def test_a_token_that_may_not_write_is_refused_before_anything_changes(
    vault: FakeVault, allowed: set[str]
) -> None:
    vault.allowed = frozenset(allowed)
    with pytest.raises(PrerequisiteError, match="may not write secret/vrooli/secrets/postgres"):
        async with vault_values.connect(cluster("https://vault.vault.svc:8200"), TARGET):
            pass
