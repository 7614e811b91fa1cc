"""Configures a Vault for Vrooli: the KV engine, five policies, VSO's role, five secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vrooli.environments import ENVIRONMENTS
from vrooli.events import Progress
from vrooli.secrets import catalog
from vrooli.steps import Done
from vrooli.vault import policies
from vrooli.vault.client import VaultClient

KV_MOUNT = "secret"
AUTH_MOUNT = "kubernetes"
VSO_ROLE = "vrooli-vso-sync-role"
# The service account that the chart creates for VSO's login (vso.serviceAccount). No pod uses it.
SERVICE_ACCOUNTS = ("vrooli-vso",)
# The namespaces of the environments. The specification's role accepts the account `default` of all
# namespaces, which is the account of every pod that names none.
NAMESPACES = tuple(environment.namespace for environment in ENVIRONMENTS.values())
# The audience of the account's token (vso.audiences). The API server and other services reject a
# token for Vault, and Vault rejects a token that a pod has for the API server.
AUDIENCE = "vault"
# The lifetime of VSO's token, seconds: VSO renews it, and a stolen one expires soon.
TOKEN_S = 3600


def role_settings(
    service_accounts: tuple[str, ...] = SERVICE_ACCOUNTS, namespaces: tuple[str, ...] = NAMESPACES
) -> dict[str, Any]:
    """The settings of VSO's role."""
    return {
        "bound_service_account_names": list(service_accounts),
        "bound_service_account_namespaces": list(namespaces),
        "audience": AUDIENCE,
        "token_policies": list(policies.NAMES),
        "token_ttl": TOKEN_S,
    }


async def configure(
    vault: VaultClient, policies_folder: Path, progress: Progress, role: dict[str, Any]
) -> Done:
    """Configure a Vault for Vrooli; existing secrets are never changed.

    Args:
        vault: The Vault, with a token that has the permissions.
        policies_folder: The folder of the five policies.
        progress: Reports the current action.
        role: The settings of VSO's role, from ``role_settings``.
    """
    rules = policies.read(policies_folder)
    did = []
    if await vault.ensure_kv(KV_MOUNT):
        did.append(f"mounted {KV_MOUNT}/")
    written = [name for name, text in rules.items() if await vault.ensure_policy(name, text)]
    if written:
        did.append(f"wrote {len(written)} policies")
    if await vault.ensure_role(AUTH_MOUNT, VSO_ROLE, role):
        did.append(f"wrote role {VSO_ROLE}")
    progress.report("creates missing secrets")
    filled = [
        spec.path
        for spec in catalog.ALL
        if await vault.create_secret(KV_MOUNT, spec.path, spec.first_values())
    ]
    if filled:
        did.append(f"created {len(filled)} secrets")
    return Done(bool(did), ", ".join(did))
