"""The live release's Vault, changed as an administrator changes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from vrooli import project
from vrooli.kube import Kube
from vrooli.vault import configuration, policies, server

ROLE = f"auth/{configuration.AUTH_MOUNT}/role/{configuration.VSO_ROLE}"


async def do(kube: Kube, call: Callable[[Any], object]) -> object:
    """Call Vault as its administrator."""
    async with server.connect(kube) as vault:
        return await asyncio.to_thread(call, vault._hvac)


async def set_role(kube: Kube, **settings: Any) -> None:
    """Write the operator's role, in part otherwise than the release has it."""
    data = {**configuration.role_settings(), **settings}
    await do(kube, lambda vault: vault.write_data(ROLE, data=data))


async def set_policy(kube: Kube, name: str, rules: str | None = None) -> None:
    """Write a policy: other rules, or the release's own."""
    own = policies.read(project.root() / "k8s" / "dev-support" / "vault-policies")[name]
    await do(kube, lambda vault: vault.sys.create_or_update_policy(name, rules or own))


async def change(kube: Kube, path: str, edit: Callable[[dict[str, str]], dict[str, str]]) -> None:
    """Write a new version of a secret."""

    def call(vault: Any) -> None:
        kv = vault.secrets.kv.v2
        read = kv.read_secret_version(path, mount_point="secret", raise_on_deleted_version=True)
        values = edit(dict(read["data"]["data"]))
        kv.create_or_update_secret(path, secret=values, mount_point="secret")

    await do(kube, call)
