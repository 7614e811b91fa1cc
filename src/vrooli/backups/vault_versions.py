"""The versions of a release's secrets in Vault. Their values stay there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vrooli.errors import PrerequisiteError
from vrooli.kube import Kube
from vrooli.kube.objects import Body, text
from vrooli.operators.vso import names
from vrooli.vault import server


def secret_paths(bodies: Iterable[Body]) -> list[tuple[str, str]]:
    """The mount and the path of each secret in a KV engine of version 2, without repetition."""
    paths = {
        (text(body, "spec", "mount"), text(body, "spec", "path")): None
        for body in bodies
        if body["kind"] == names.STATIC_SECRET and text(body, "spec", "type") == names.KV_V2
    }
    return sorted(paths)


async def fetch(kube: Kube, paths: Iterable[tuple[str, str]]) -> Mapping[str, int]:
    """The current version of each secret, by mount and path; a missing secret is left out.

    Raises:
        PrerequisiteError: Vault is not the development Vault, or does not answer.
        VaultDeniedError: It rejects the login.
    """
    if (await server.status(kube)).state not in ("ready", "not ready"):
        raise PrerequisiteError(
            "Vault is outside the cluster or was not installed by vrooli, so they are not read."
        )
    async with server.connect(kube) as vault:
        versions = {
            f"{mount}/{path}": await vault.secret_version(mount, path) for mount, path in paths
        }
    return {path: version for path, version in versions.items() if version is not None}
