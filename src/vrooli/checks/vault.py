"""Does Vault give what the release's secrets ask for? Asked as its Secrets Operator will ask."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing

from vrooli.chart.manifest import Manifest
from vrooli.errors import VrooliError
from vrooli.findings import Finding
from vrooli.kube import ApiError, Kube
from vrooli.vault import VaultClient
from vrooli.vault.client import VaultDeniedError

# A Vault inside the cluster, by its Service. Others are reached from the cluster, not from here.
_INSIDE = re.compile(r"http://([a-z0-9-]+)\.([a-z0-9-]+)(?:\.svc[a-z0-9.-]*)?(?::(\d+))?/?")
VAULT_PORT = 8200
# How long the token for asking lives, seconds; the API server's least.
TOKEN_S = 600
_SETUP = "`vrooli setup` writes role, policies and first secrets of a development Vault."


async def look(kube: Kube, namespace: str, manifests: Sequence[Manifest]) -> list[Finding]:
    """Whether role, policies and paths are there; nothing where this can't be asked from here."""
    kinds = {
        kind: [item.body["spec"] for item in manifests if item.kind == kind]
        for kind in ("VaultConnection", "VaultAuth", "VaultStaticSecret")
    }
    if not all(kinds.values()):
        return []
    (connection, *_), (login, *_) = kinds["VaultConnection"], kinds["VaultAuth"]
    inside = _INSIDE.fullmatch(connection["address"])
    if inside is None:
        return []
    service, where, port = inside.groups()
    role, account = login["kubernetes"]["role"], login["kubernetes"]["serviceAccount"]
    try:
        async with _reach(kube, service, where, int(port or VAULT_PORT)) as vault:
            await vault.check_ready()
            token = await _token(kube, namespace, account)
            if token is None:
                return []
            await vault.log_in(role, token, login["mount"])
            found = [await _secret(vault, spec) for spec in kinds["VaultStaticSecret"]]
    except VaultDeniedError as error:
        return [Finding("vault", f"role {role}", f"{error.message}", _SETUP)]
    except VrooliError as error:
        return [Finding("vault", connection["address"], error.message, error.advice)]
    return [finding for finding in found if finding is not None]


async def _secret(vault: VaultClient, spec: dict[str, str]) -> Finding | None:
    where = f"{spec['mount']}/{spec['path']}"
    try:
        values = await vault.read_secret(spec["mount"], spec["path"])
    except VaultDeniedError:
        return Finding("vault", where, "no policy of the role lets it be read.", _SETUP)
    return None if values else Finding("vault", where, "there is no secret at this path.", _SETUP)


async def _token(kube: Kube, namespace: str, account: str) -> str | None:
    """A token of the account that will ask; None where it isn't there yet or we may not."""
    try:
        return await kube.service_account_token(namespace, account, TOKEN_S)
    except ApiError:
        return None


@asynccontextmanager
async def _reach(kube: Kube, service: str, namespace: str, port: int) -> AsyncIterator[VaultClient]:
    """Vault through one of its Service's pods."""
    found = await kube.get("v1", "Service", service, namespace)
    selector = (found or {}).get("spec", {}).get("selector") or {}
    labels = ",".join(f"{name}={value}" for name, value in selector.items())
    pods = await kube.list("v1", "Pod", namespace, labels) if labels else []
    running = [pod for pod in pods if pod.get("status", {}).get("phase") == "Running"]
    if found is None or not running:
        lack = "no pod runs behind it" if found else "there is no such Service"
        raise VrooliError(f"Vault can't be asked at {service}.{namespace}: {lack}.")
    async with await kube.port_forward(namespace, running[0]["metadata"]["name"], port) as local:
        with closing(VaultClient(f"http://127.0.0.1:{local}")) as vault:
            yield vault
