"""The Vault Secrets Operator: VaultConnection, VaultAuth, VaultStaticSecret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vrooli.events import Progress
from vrooli.operators import crds, helm
from vrooli.operators.images import pod_notes, split
from vrooli.operators.interface import Site, Source, VendorChart
from vrooli.programs.catalog import KUBE_RBAC_PROXY, VAULT_SECRETS_OPERATOR

IMAGE = f"localhost/vrooli/vault-secrets-operator:{VAULT_SECRETS_OPERATOR}"
PROXY_IMAGE = f"localhost/vrooli/kube-rbac-proxy:{KUBE_RBAC_PROXY}"
RELEASE = "vault-secrets-operator"


class VaultSecretsOperator:
    """Version 0.10.0 from either source: the newest that both have."""

    name = "vault-secrets-operator"
    title = "Vault Secrets Operator"
    namespace = "vault-secrets-operator-system"
    selector = "app.kubernetes.io/name=vault-secrets-operator"
    vendor = VendorChart(RELEASE, VAULT_SECRETS_OPERATOR, ("https://helm.releases.hashicorp.com",))

    def version(self, source: Source) -> str:
        """The same from both."""
        return VAULT_SECRETS_OPERATOR

    def deployment(self, source: Source) -> str:
        """Made by the chart from its release's name."""
        return f"{RELEASE}-controller-manager"

    def images(self, source: Source) -> tuple[str, ...]:
        """Two of ours, for the Go module."""
        return (IMAGE, PROXY_IMAGE) if source is Source.GO_MODULE else ()

    def inputs(self, source: Source, site: Site) -> Mapping[str, Any]:
        """The chart's values."""
        return {"values": self._values(source, site)}

    async def install(self, source: Source, site: Site, progress: Progress) -> None:
        """Install its chart; the definitions of the local one are applied before, server-side."""
        values = self._values(source, site)
        if source is Source.VENDOR:
            release = await helm.vendor_release(self.vendor, RELEASE, self.namespace, values)
        else:
            chart = await site.module_dir(self.name, progress) / "chart"
            await crds.apply(site.kube, await helm.chart_crds(chart), progress)
            release = helm.ChartRelease(RELEASE, self.namespace, str(chart), values)
        await helm.apply(site.kubeconfig, release)

    def _values(self, source: Source, site: Site) -> dict[str, Any]:
        manager: dict[str, Any] = {
            # Without it, each Secret holds `_raw` too: everything, which envFrom would hand on.
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
            controller["annotations"] = pod_notes(site, self.images(source))
            manager["image"] = dict(zip(("repository", "tag"), split(IMAGE), strict=True))
            controller["kubeRbacProxy"] = {
                "image": dict(zip(("repository", "tag"), split(PROXY_IMAGE), strict=True))
            }
            # Its job runs a script of the vendor's image; the definitions are ours to upgrade.
            values["hooks"] = {"upgradeCRDs": {"enabled": False}}
        return values
