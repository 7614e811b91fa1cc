"""Configures a Vault for Vrooli: the KV engine; policies, role and secrets of each environment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vrooli.events import Progress
from vrooli.secrets import catalog, key_pairs
from vrooli.steps import Done
from vrooli.vault import policies
from vrooli.vault.client import VaultClient

KV_MOUNT = "secret"
AUTH_MOUNT = "kubernetes"
VSO_ROLE = policies.SHARED.role
# The service account that the chart creates for VSO's login (vso.serviceAccount). No pod uses it.
SERVICE_ACCOUNTS = ("vrooli-vso",)
# The namespaces of the environments. The specification's role accepts the account `default` of all
# namespaces, which is the account of every pod that names none.
NAMESPACES = policies.SHARED.namespaces
# The audience of the account's token (vso.audiences). The API server and other services reject a
# token for Vault, and Vault rejects a token that a pod has for the API server.
AUDIENCE = "vault"
# The lifetime of VSO's token, seconds: VSO renews it, and a stolen one expires soon.
TOKEN_S = 3600


def role_settings(
    service_accounts: tuple[str, ...] = SERVICE_ACCOUNTS,
    namespaces: tuple[str, ...] = NAMESPACES,
    names: tuple[str, ...] = policies.NAMES,
) -> dict[str, Any]:
    """The settings of a role of VSO, with the names of its policies."""
    return {
        "bound_service_account_names": list(service_accounts),
        "bound_service_account_namespaces": list(namespaces),
        "audience": AUDIENCE,
        "token_policies": list(names),
        "token_ttl": TOKEN_S,
    }


# The keys that values read, by mount and path.
ReadKeys = Mapping[tuple[str, str], frozenset[str]]


async def configure(
    vault: VaultClient,
    policies_folder: Path,
    progress: Progress,
    role: dict[str, Any],
    read: ReadKeys | None = None,
) -> Done:
    """Configure a Vault for Vrooli; existing values are never changed.

    Args:
        vault: The Vault, with a token that has the permissions.
        policies_folder: The folder of the five policies.
        progress: Reports the current action.
        role: The settings of the role of the specification, from ``role_settings``.
        read: The keys that values read: missing pairs of keys among them are generated.
    """
    files = policies.read(policies_folder)
    did = [f"mounted {KV_MOUNT}/"] if await vault.ensure_kv(KV_MOUNT) else []
    texts = {name: text for scope in policies.SCOPES for name, text in scope.rules(files).items()}
    written = [name for name, text in texts.items() if await vault.ensure_policy(name, text)]
    if written:
        did.append(f"wrote {len(written)} policies")
    roles = {
        scope.role: role_settings(namespaces=scope.namespaces, names=scope.names)
        for scope in policies.SCOPES
    } | {VSO_ROLE: role}
    did += [
        f"wrote role {name}"
        for name, settings in roles.items()
        if await vault.ensure_role(AUTH_MOUNT, name, settings)
    ]
    progress.report("creates missing secrets")
    filled = [
        path
        for scope in policies.SCOPES
        for spec in catalog.ALL
        if await vault.create_secret(KV_MOUNT, path := scope.path(spec.path), spec.first_values())
    ]
    if filled:
        did.append(f"created {len(filled)} secrets")
    for (mount, path), keys in (read or {}).items():
        if names := await generate_key_pairs(vault, mount, path, keys):
            did.append(f"generated {', '.join(names)}")
    return Done(bool(did), ", ".join(did))


async def generate_key_pairs(
    vault: VaultClient, mount: str, path: str, keys: frozenset[str]
) -> list[str]:
    """Add the pairs of keys that values read and an existing secret lacks.

    Returns:
        The names of the new keys.

    Raises:
        VaultConflictError: Somebody has changed the secret in between; nothing was written.
    """
    if not keys & key_pairs.NAMES:
        return []
    found = await vault.read_version(mount, path)
    if found is None:
        return []
    values, version = found
    present = [key for key in values if values[key]]
    generated = await asyncio.to_thread(key_pairs.generate_missing, keys, present)
    if generated:
        await vault.write_version(mount, path, {**values, **generated}, version)
    return sorted(generated)
