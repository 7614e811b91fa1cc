"""The versions of a release's secrets in Vault. Their values stay there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vrooli.kube.objects import Body, text
from vrooli.operators.vso import names
from vrooli.vault.client import VaultClient

# What a token must be allowed, for a message that names a secret.
RIGHT = "read the metadata of"


def synced(bodies: Iterable[Body]) -> list[Body]:
    """The VaultStaticSecrets of secrets in a KV engine of version 2."""
    return [
        body
        for body in bodies
        if body["kind"] == names.STATIC_SECRET and text(body, "spec", "type") == names.KV_V2
    ]


async def fetch(vault: VaultClient, bodies: Iterable[Body]) -> Mapping[str, int]:
    """The current version of each secret, by mount and path; a missing secret is left out.

    Raises:
        PrerequisiteError: Vault does not answer.
        VaultDeniedError: The token may not read the metadata of a secret.
    """
    paths = {(text(body, "spec", "mount"), text(body, "spec", "path")) for body in bodies}
    versions = {
        f"{mount}/{path}": await vault.secret_version(mount, path) for mount, path in sorted(paths)
    }
    return {path: version for path, version in versions.items() if version is not None}
