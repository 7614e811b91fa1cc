"""Refuse to change the source of a release's secrets: neither takes over from the other."""

from __future__ import annotations

from vrooli.environments import Environment, SecretsSource
from vrooli.errors import UsageError
from vrooli.kube import Kube
from vrooli.kube.common_labels import INSTANCE
from vrooli.kube.objects import label_selector
from vrooli.operators.vso.operator import STATIC_SECRET
from vrooli.secrets import kubernetes


async def refuse_change(kube: Kube, environment: Environment, requested: SecretsSource) -> None:
    """Refuse to change the source of a release's secrets.

    VSO does not write Secrets that it did not make, and Kubernetes deletes those of VSO with their
    VaultStaticSecrets, whatever else was written into them.

    Raises:
        UsageError: The release uses the other source; nothing was changed.
    """
    if requested is SecretsSource.VAULT and await kubernetes.exist(kube, environment.namespace):
        raise UsageError(
            f"{environment.release} in {environment.namespace} has its secrets from a file.",
            "Use --secrets-source file, or uninstall the release and its data first: "
            f"`vrooli uninstall --environment {environment.name} --data`.",
        )
    if requested is SecretsSource.FILE and await _has_vaults(kube, environment):
        raise UsageError(
            f"{environment.release} in {environment.namespace} has its secrets from Vault.",
            "Omit --secrets-source file, or uninstall the release first (its data is kept): "
            f"`vrooli uninstall --environment {environment.name}`.",
        )


async def _has_vaults(kube: Kube, environment: Environment) -> bool:
    kind = (STATIC_SECRET.api_version, STATIC_SECRET.kind)
    if not await kube.serves(*kind):
        return False
    labels = label_selector({INSTANCE: environment.release})
    return bool(await kube.list(*kind, environment.namespace, labels, names_only=True))
