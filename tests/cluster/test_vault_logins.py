"""The real Vault Secrets Operator logs in to a real Vault with AppRole and with JWT.

The operator runs as a process beside an API server without nodes; Vault is OpenBao.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization

from support.fakes.check_site import rendered
from support.programs import openbao
from support.programs.ports import free_port
from vrooli import programs
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.kube import Manifest as Body

NAMESPACE, ROOT_TOKEN, POLICY = "vault-logins", "root-of-the-tests", "reads-all"
SECRET = "vrooli-postgres-creds"
SYNCED_S = 60.0
# Of the operator, which polls Vault.
REFRESH = "2s"
LOGINS = {
    "appRole": {"mount": "approle", "roleId": "the-role", "secretName": "vault-role"},
    "jwt": {"mount": "jwt", "role": "vrooli", "secretName": ""},
}


@dataclass(frozen=True)
class Vault:
    """The administrator's client of the server, or of a namespace of it."""

    address: str
    namespace: str = ""

    def write(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Write to a path."""
        headers = {"X-Vault-Token": ROOT_TOKEN, "X-Vault-Namespace": self.namespace}
        answer = httpx.post(f"{self.address}/v1/{path}", json=body, headers=headers, timeout=30)
        answer.raise_for_status()
        return dict(answer.json()) if answer.content else {}

    def set_password(self, password: str) -> None:
        """Write the credentials of PostgreSQL."""
        data = {"DB_NAME": "vrooli", "DB_USER": "vrooli", "DB_PASSWORD": password}
        self.write("secret/data/vrooli/secrets/postgres", {"data": data})


@pytest.fixture
def vault(tmp_path: Path, bare_kubeconfig: Path) -> Iterator[Vault]:
    """A server with both logins, which may read all secrets."""
    address = f"127.0.0.1:{free_port()}"
    arguments = (
        *("-dev", "-dev-no-store-token", f"-dev-root-token-id={ROOT_TOKEN}"),
        f"-dev-listen-address={address}",
    )
    with openbao.running(arguments, f"http://{address}", tmp_path / "bao.log"):
        client = Vault(f"http://{address}")
        client.write("sys/auth/approle", {"type": "approle"})
        client.write("auth/approle/role/vrooli", {"token_policies": [POLICY]})
        client.write("auth/approle/role/vrooli/role-id", {"role_id": "the-role"})
        enable_jwt(client, public_key(bare_kubeconfig.parent / "accounts.key"))
        yield client


def enable_jwt(client: Vault, key: str) -> None:
    """Let the release's account log in by JWT, and read all secrets."""
    rule = 'path "secret/data/*" { capabilities = ["read"] }'
    client.write(f"sys/policies/acl/{POLICY}", {"policy": rule})
    client.write("sys/auth/jwt", {"type": "jwt"})
    client.write("auth/jwt/config", {"jwt_validation_pubkeys": [key]})
    role = {
        "role_type": "jwt",
        "user_claim": "sub",
        "bound_audiences": ["vault"],
        "bound_subject": f"system:serviceaccount:{NAMESPACE}:vrooli-vso",
        "token_policies": [POLICY],
    }
    client.write("auth/jwt/role/vrooli", role)


def public_key(path: Path) -> str:
    """The public part of the key that signs the tokens of service accounts."""
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(encoding, form).decode()


@asynccontextmanager
async def operator(kubeconfig: Path, folder: Path) -> AsyncIterator[None]:
    """The Vault Secrets Operator."""
    found = await programs.ensure(["vault-secrets-operator"], Progress())
    flags = ("--leader-elect=false", "--metrics-bind-address=0", "--health-probe-bind-address=0")
    environment = {
        **os.environ,
        "KUBECONFIG": str(kubeconfig),
        "OPERATOR_POD_NAME": "vso",
        "POD_NAMESPACE": NAMESPACE,
        "WATCH_NAMESPACE": NAMESPACE,
    }
    with (folder / "vso.log").open("w") as log:
        running = await asyncio.create_subprocess_exec(
            *(str(found["vault-secrets-operator"]), *flags),
            env=environment,
            stdout=log,
            stderr=log,
            cwd=folder,
        )
        try:
            yield
        except BaseException as error:
            error.add_note((folder / "vso.log").read_text()[-4000:])
            raise
        finally:
            if running.returncode is None:
                running.kill()
            await running.wait()


async def apply_release(kube: Kube, address: str, method: str, **vso: Any) -> None:
    """Apply what the chart makes for one Secret and its login."""
    settings = {
        "vaultAddr": address,
        "auth": {method: LOGINS[method]},
        "refreshAfter": REFRESH,
        "connectionUrls": True,
        **vso,
    }
    objects = rendered(
        vso=settings, spotahomeRedis={"masterService": True}, rotation={"enabled": False}
    )
    kinds = ("VaultConnection", "VaultAuth", "ServiceAccount", "VaultStaticSecret")
    for item in objects:
        synced = item.body.get("spec", {}).get("destination", {}).get("name", SECRET)
        if item.kind in kinds and synced == SECRET:
            metadata = {**item.body["metadata"], "namespace": NAMESPACE}
            await kube.apply({**item.body, "metadata": metadata})


async def until_password(kube: Kube, password: str) -> None:
    """Wait until DB_URL in the Secret has a password."""

    def reason(body: Body | None) -> str | None:
        url = base64.b64decode((body or {}).get("data", {}).get("DB_URL", "")).decode()
        return None if f"://vrooli:{password}@" in url else "its DB_URL has not this password"

    await kube.wait_for("v1", "Secret", SECRET, NAMESPACE, reason, SYNCED_S)


@pytest.fixture
async def namespace(bare_kube: Kube, vault: Vault) -> str:
    """The namespace with the Secret of the AppRole."""
    await bare_kube.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    )
    secret_id = vault.write("auth/approle/role/vrooli/secret-id", {})["data"]["secret_id"]
    role = {"metadata": {"name": "vault-role"}, "stringData": {"id": secret_id}}
    await bare_kube.apply({"apiVersion": "v1", "kind": "Secret", **role}, namespace=NAMESPACE)
    return NAMESPACE


@pytest.mark.usefixtures("namespace")
async def test_each_login_syncs_a_secret_and_a_rotation_changes_the_address(
    bare_kube: Kube, bare_kubeconfig: Path, vault: Vault, tmp_path: Path
) -> None:
    async with operator(bare_kubeconfig, tmp_path):
        for number, method in enumerate(LOGINS):
            await bare_kube.delete("v1", "Secret", SECRET, NAMESPACE)
            vault.set_password(f"first-{number}")
            await apply_release(bare_kube, vault.address, method)
            await until_password(bare_kube, f"first-{number}")
            # The characters of an address are percent-encoded.
            vault.set_password(f"second/{number}")
            await until_password(bare_kube, f"second%2F{number}")


@pytest.mark.usefixtures("namespace")
async def test_the_secrets_and_the_login_of_a_namespace_of_vault_are_used(
    bare_kube: Kube, bare_kubeconfig: Path, vault: Vault, tmp_path: Path
) -> None:
    vault.write("sys/namespaces/team", {})
    team = replace(vault, namespace="team")
    team.write("sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    enable_jwt(team, public_key(bare_kubeconfig.parent / "accounts.key"))
    vault.set_password("of-nobody")
    team.set_password("of-the-team")
    async with operator(bare_kubeconfig, tmp_path):
        await bare_kube.delete("v1", "Secret", SECRET, NAMESPACE)
        await apply_release(bare_kube, vault.address, "jwt", vaultNamespace="team")
        await until_password(bare_kube, "of-the-team")
