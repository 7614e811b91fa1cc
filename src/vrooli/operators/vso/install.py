"""Installs the Vault Secrets Operator from its vendor's chart, or from the Go module's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vrooli.events import Progress
from vrooli.operators.installation import helm
from vrooli.operators.installation.images import pod_annotations, split
from vrooli.operators.model import Distribution, Operator, Site, Source, VendorChart
from vrooli.programs.versions import VAULT_SECRETS_OPERATOR

IMAGE = f"localhost/vrooli/vault-secrets-operator:{VAULT_SECRETS_OPERATOR}"
# Our own program in place of kube-rbac-proxy.
PROXY_IMAGE = "localhost/vrooli/metrics-proxy:1"
RELEASE = "vault-secrets-operator"
# The chart names it after its release.
DEPLOYMENT = f"{RELEASE}-controller-manager"
VENDOR = VendorChart(RELEASE, VAULT_SECRETS_OPERATOR, ("https://helm.releases.hashicorp.com",))
DISTRIBUTIONS = {
    Source.VENDOR: Distribution(VAULT_SECRETS_OPERATOR, DEPLOYMENT, release=RELEASE),
    Source.GO_MODULE: Distribution(
        VAULT_SECRETS_OPERATOR, DEPLOYMENT, (IMAGE, PROXY_IMAGE), RELEASE
    ),
}


def inputs(source: Source, site: Site) -> Mapping[str, Any]:
    """The chart's values."""
    return {"values": _values(source, site)}


async def install(operator: Operator, source: Source, site: Site, progress: Progress) -> None:
    """Install its chart; its definitions are applied before, server-side."""
    values = _values(source, site)
    if source is Source.VENDOR:
        await helm.install_vendor(operator, RELEASE, site, values, progress)
        return
    chart = await site.module_dir(operator.name, progress) / "chart"
    release = helm.ChartRelease(RELEASE, operator.namespace, str(chart), values)
    await helm.install(site, release, progress)


def _values(source: Source, site: Site) -> dict[str, Any]:
    manager: dict[str, Any] = {
        # Else each Secret also has the key `_raw` with all values, and envFrom would pass it on.
        "globalTransformationOptions": {"excludeRaw": True},
    }
    controller: dict[str, Any] = {
        "manager": manager,
        "podSecurityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    values: dict[str, Any] = {"controller": controller}
    if source is Source.GO_MODULE:
        controller["annotations"] = pod_annotations(site, (IMAGE, PROXY_IMAGE))
        manager["image"] = dict(zip(("repository", "tag"), split(IMAGE), strict=True))
        controller["kubeRbacProxy"] = {
            "image": dict(zip(("repository", "tag"), split(PROXY_IMAGE), strict=True))
        }
        # Its job runs a script of the vendor's image; this product upgrades the definitions.
        values["hooks"] = {"upgradeCRDs": {"enabled": False}}
    return values
