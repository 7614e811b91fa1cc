"""New values in Vault, written only if nobody has changed the secret in between."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from urllib.parse import urlsplit

from vrooli.errors import PrerequisiteError
from vrooli.kube import Kube, Manifest
from vrooli.kube.objects import text
from vrooli.operators.vso import names as vso
from vrooli.rotation.model import SyncedSecret
from vrooli.vault import server, tls
from vrooli.vault.address import parse_address
from vrooli.vault.client import VaultClient

# Vault's own variables, for a Vault that was not installed by vrooli.
ADDRESS, TOKEN, CA, NAMESPACE = "VAULT_ADDR", "VAULT_TOKEN", "VAULT_CACERT", "VAULT_NAMESPACE"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
NEEDED, ROOT = frozenset({"create", "read", "update"}), "root"


@asynccontextmanager
async def connect(kube: Kube, target: SyncedSecret) -> AsyncIterator[VaultClient]:
    """The Vault of a secret, with a token that can write it.

    Raises:
        PrerequisiteError: As ``reach`` and ``demand_write``; nothing was changed.
        VaultDeniedError: It rejects the login.
    """
    async with reach(kube, target) as vault:
        await demand_write(vault, target)
        yield vault


@asynccontextmanager
async def reach(
    kube: Kube, target: SyncedSecret, right: str = "write"
) -> AsyncIterator[VaultClient]:
    """The Vault of a secret, with a token.

    Args:
        kube: The cluster.
        target: The secret.
        right: What the token must be allowed, for the message about a missing one.

    Raises:
        PrerequisiteError: Its address or a token is missing, it does not answer, or is sealed.
        VaultDeniedError: It rejects the login.
    """
    if await _is_ours(kube, target):
        async with server.connect(kube) as vault:
            yield vault
        return
    address, token = os.environ.get(ADDRESS, ""), os.environ.get(TOKEN, "")
    if not (address and token):
        raise PrerequisiteError(
            "The Vault of this release was not installed by vrooli, and "
            f"{ADDRESS if not address else TOKEN} is not set.",
            f"Set {ADDRESS} to its address as seen from this machine, and {TOKEN} to a token that "
            f"can {right} {target.mount}/{target.path} ({CA}: the file of its CA).",
        )
    _demand_encrypted(address)
    verify: bool | str = os.environ.get(CA) or True
    namespace = os.environ.get(NAMESPACE, text(target.sync, "spec", "namespace"))
    with closing(VaultClient(address, token, verify=verify, namespace=namespace)) as vault:
        await vault.check_ready()
        yield vault


def _demand_encrypted(address: str) -> None:
    """Refuse an address that would send the token and the new value unencrypted.

    Raises:
        PrerequisiteError: It is neither https nor on this machine.
    """
    url = urlsplit(address)
    is_local = url.scheme == "http" and url.hostname in LOOPBACK
    if url.scheme != "https" and not is_local:
        raise PrerequisiteError(
            f"{ADDRESS} is not an https address; the token would be sent unencrypted.",
            f"Set {ADDRESS} to an https address. http is accepted only for {', '.join(LOOPBACK)}.",
        )


async def _is_ours(kube: Kube, target: SyncedSecret) -> bool:
    connection = await _connection(kube, target)
    address = parse_address(text(connection or {}, "spec", "address"))
    if address is None or address.service != tls.SERVICE:
        return False
    return not await server.is_foreign(kube)


async def _connection(kube: Kube, target: SyncedSecret) -> Manifest | None:
    login_name = text(target.sync, "spec", "vaultAuthRef")
    login = await kube.get(vso.API_VERSION, vso.AUTH, login_name, target.namespace)
    name = text(login or {}, "spec", "vaultConnectionRef")
    return await kube.get(vso.API_VERSION, vso.CONNECTION, name, target.namespace)


async def demand_write(vault: VaultClient, target: SyncedSecret) -> None:
    """Require that the token can read and write a secret.

    Raises:
        PrerequisiteError: It cannot; the message has the capabilities that are missing.
    """
    path = f"{target.mount}/data/{target.path}"
    allowed = (await vault.capabilities([path]))[path]
    if ROOT in allowed or not (missing := sorted(NEEDED - allowed)):
        return
    raise PrerequisiteError(
        f"The token may not write {target.mount}/{target.path} in Vault at {vault.address}; its "
        f"policies lack {', '.join(missing)} for {path}. Nothing was changed.",
        f"Use a token whose policy has the capabilities create, update and read for {path}.",
    )
