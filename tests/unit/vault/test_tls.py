"""The certificates of the development Vault in its cluster: made once, renewed, and copied."""

from __future__ import annotations

import base64
import datetime
from typing import Any

import pytest

from support.fakes.check_site import rendered
from support.fakes.cluster import FakeCluster
from vrooli.errors import PrerequisiteError
from vrooli.vault import certificates, manifests, tls

SECRETS = (tls.AUTHORITY_SECRET, manifests.TLS_SECRET)
PRODUCTION, COPY = "production", "vrooli-vault-ca"


def data(kube: FakeCluster, name: str, namespace: str = manifests.NAMESPACE) -> dict[str, bytes]:
    values = kube.body("Secret", name, namespace)["data"]
    return {key: base64.b64decode(value) for key, value in values.items()}


def bodies(environment: str = "prod", **vso: Any) -> list[Any]:
    return [item.body for item in rendered(environment, vso=vso)]


@pytest.fixture
async def kube() -> FakeCluster:
    """A cluster with the development Vault and its certificates."""
    cluster = FakeCluster()
    cluster.add(manifests.namespace(), *manifests.server())
    await tls.ensure(cluster)
    return cluster


async def test_the_server_has_a_certificate_of_an_authority_whose_key_it_does_not_have(
    kube: FakeCluster,
) -> None:
    authority, server = (data(kube, name) for name in SECRETS)
    assert certificates.is_signed_by(server["tls.crt"], authority["tls.crt"])
    assert server["ca.crt"] == authority["tls.crt"]
    assert authority["tls.key"] not in server.values()
    volumes = manifests.server()[-1]["spec"]["template"]["spec"]["volumes"]
    mounted = {item["secret"]["secretName"] for item in volumes if "secret" in item}
    assert mounted == {manifests.TLS_SECRET, manifests.SEAL_SECRET}


async def test_everybody_reads_the_authority_and_nobody_needs_a_secret_for_it(
    kube: FakeCluster,
) -> None:
    kube.failures.forbid("get", "Secret", namespace=manifests.NAMESPACE)
    pem = await tls.fetch_authority(kube)
    assert kube.body("ConfigMap", tls.PUBLIC, manifests.NAMESPACE)["data"] == {"ca.crt": pem}
    assert await tls.ensure_trust(kube, PRODUCTION, bodies())
    assert data(kube, COPY, PRODUCTION) == {"ca.crt": pem.encode()}
    (rule,) = kube.body("Role", tls.PUBLIC, manifests.NAMESPACE)["rules"]
    assert rule == {
        "apiGroups": [""],
        "resources": ["configmaps"],
        "resourceNames": [tls.PUBLIC],
        "verbs": ["get"],
    }
    binding = kube.body("RoleBinding", tls.PUBLIC, manifests.NAMESPACE)
    assert binding["roleRef"]["kind"] == "Role"
    assert [subject["name"] for subject in binding["subjects"]] == ["system:authenticated"]


async def test_valid_certificates_stay(kube: FakeCluster) -> None:
    before = [data(kube, name) for name in SECRETS]
    changed, certificate = await tls.ensure(kube)
    assert not changed
    assert [data(kube, name) for name in SECRETS] == before
    assert certificate.encode() == before[1]["tls.crt"]


async def test_a_certificate_that_ends_soon_is_renewed_by_the_same_authority(
    kube: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, server = (data(kube, name) for name in SECRETS)
    with monkeypatch.context() as patch:
        patch.setattr(certificates, "RENEWED_BEFORE", certificates.SERVER_LIFETIME * 2)
        changed, certificate = await tls.ensure(kube)
    assert changed
    assert certificate.encode() == data(kube, manifests.TLS_SECRET)["tls.crt"]
    assert certificate.encode() != server["tls.crt"]
    assert data(kube, tls.AUTHORITY_SECRET) == authority


async def test_a_new_authority_reaches_the_releases(
    kube: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tls.ensure_trust(kube, PRODUCTION, bodies())
    before = data(kube, COPY, PRODUCTION)
    with monkeypatch.context() as patch:
        patch.setattr(certificates, "SERVER_LIFETIME", certificates.AUTHORITY_LIFETIME)
        await tls.ensure(kube)
    after = data(kube, COPY, PRODUCTION)
    assert after != before
    assert after["ca.crt"].decode() == await tls.fetch_authority(kube)
    assert certificates.is_signed_by(data(kube, manifests.TLS_SECRET)["tls.crt"], after["ca.crt"])


async def test_a_release_with_https_gets_the_authority_and_no_key(kube: FakeCluster) -> None:
    assert await tls.ensure_trust(kube, PRODUCTION, bodies())
    assert data(kube, COPY, PRODUCTION) == {"ca.crt": data(kube, tls.AUTHORITY_SECRET)["tls.crt"]}
    assert not await tls.ensure_trust(kube, PRODUCTION, bodies())


@pytest.mark.parametrize(
    ("environment", "vso"),
    [
        ("dev", {}),
        ("prod", {"vaultAddr": "https://vault.example.com"}),
        ("prod", {"vaultAddr": "http://vault.vault.svc:8200", "allowHttp": True}),
        ("prod", {"caCertSecretName": ""}),
        ("prod", {"enabled": False}),
    ],
    ids=["development", "another Vault", "http", "the system's CAs", "no Vault"],
)
async def test_no_other_release_gets_a_copy(
    kube: FakeCluster, environment: str, vso: dict[str, Any]
) -> None:
    assert not await tls.ensure_trust(kube, PRODUCTION, bodies(environment, **vso))
    assert kube.find("Secret", COPY, PRODUCTION) is None


async def test_the_ca_of_another_vault_at_the_same_address_is_not_replaced(
    kube: FakeCluster,
) -> None:
    service = {"kind": "Service", "metadata": {"name": "vault", "namespace": "vault"}}
    own = {"kind": "Secret", "metadata": {"name": COPY, "namespace": PRODUCTION}}
    kube.add(service, {**own, "data": {"ca.crt": base64.b64encode(b"own").decode()}})
    assert not await tls.ensure_trust(kube, PRODUCTION, bodies())
    assert data(kube, COPY, PRODUCTION) == {"ca.crt": b"own"}


async def test_a_vault_of_an_earlier_version_needs_setup_first() -> None:
    kube = FakeCluster()
    kube.add(manifests.namespace(), *manifests.server())
    with pytest.raises(PrerequisiteError) as raised:
        await tls.ensure_trust(kube, PRODUCTION, bodies())
    assert "vrooli setup" in raised.value.advice


async def test_a_deploy_without_the_permission_to_read_the_authority_needs_a_copy(
    kube: FakeCluster,
) -> None:
    kube.failures.forbid("get", "ConfigMap", namespace=manifests.NAMESPACE)
    with pytest.raises(PrerequisiteError, match="may not read") as raised:
        await tls.ensure_trust(kube, PRODUCTION, bodies())
    assert COPY in raised.value.message
    kube.add({"kind": "Secret", "metadata": {"name": COPY, "namespace": PRODUCTION}})
    assert not await tls.ensure_trust(kube, PRODUCTION, bodies())


def test_a_certificate_is_renewed_long_before_it_is_reported() -> None:
    assert certificates.REPORTED_BEFORE * 2 < certificates.RENEWED_BEFORE
    assert certificates.RENEWED_BEFORE < certificates.SERVER_LIFETIME / 2
    assert datetime.timedelta(days=398) > certificates.SERVER_LIFETIME
