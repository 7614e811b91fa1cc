"""PGO, the PostgreSQL operator of Crunchy Data: PostgresCluster."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vrooli.events import Progress
from vrooli.kube import Kube, Manifest
from vrooli.operators import crds, helm, record, seccomp
from vrooli.operators.images import pod_notes
from vrooli.operators.interface import Site, Source, VendorChart

# What the Go module proxy serves of PGO is one commit on the way to 5.4, not a release.
GO_MODULE_VERSION = "5.4"
IMAGE = f"localhost/vrooli/postgres-operator:{GO_MODULE_VERSION}"
# One image holds PostgreSQL, pgBackRest and pgBouncer.
POSTGRES_IMAGE = "localhost/vrooli/postgres:15"
RELEASE = "pgo"
CONTROL_PLANE = "postgres-operator.crunchydata.com/control-plane"
LABELS = {CONTROL_PLANE: "postgres-operator"}
RBAC_FILES = ("service_account.yaml", "role.yaml", "role_binding.yaml")


class PostgresOperator:
    """Version 5.8.2 from its vendor; a development state of 5.4 from the Go module."""

    name = "postgres-operator"
    title = "PostgreSQL operator (PGO)"
    namespace = "postgres-operator"
    # The vendor's chart sets the label to "pgo", its kustomization to "postgres-operator".
    selector = CONTROL_PLANE
    vendor = VendorChart(
        "pgo",
        "5.8.2",
        (
            "https://charts.crunchydata.com",
            "oci://registry.developers.crunchydata.com/crunchydata",
        ),
    )

    def version(self, source: Source) -> str:
        """Not the same from both."""
        return self.vendor.version if source is Source.VENDOR else GO_MODULE_VERSION

    def deployment(self, source: Source) -> str:
        """The same from both."""
        return RELEASE

    def images(self, source: Source) -> tuple[str, ...]:
        """The operator's, and what it runs, for the Go module."""
        return (IMAGE, POSTGRES_IMAGE) if source is Source.GO_MODULE else ()

    def inputs(self, source: Source, site: Site) -> Mapping[str, Any]:
        """What is ours; the vendor's chart is known by its version."""
        if source is Source.VENDOR:
            return {}
        return {"deployment": self._deployment(site), "seccomp": seccomp.POLICY}

    async def install(self, source: Source, site: Site, progress: Progress) -> None:
        """Install the vendor's chart, or apply the Go module's manifests with our Deployment."""
        if source is Source.VENDOR:
            values = {"disable_check_for_upgrades": True}
            release = await helm.vendor_release(self.vendor, RELEASE, self.namespace, values)
            await helm.apply(site.kubeconfig, release)
            return
        config = await site.module_dir(self.name, progress) / "config"
        definitions = await crds.read(sorted((config / "crd" / "bases").glob("*.yaml")))
        await crds.apply(site.kube, definitions, progress)
        await seccomp.apply(site.kube, progress)
        for manifest in await self._rights(config):
            await site.kube.apply(manifest)
        await site.kube.apply(self._deployment(site))

    async def is_restricted(self, kube: Kube) -> bool:
        """Whether the pods of its databases are within the restricted pod security standard.

        Those of the vendor's version are by themselves; of one that someone else installed,
        nobody here knows.
        """
        known = await record.read(kube, self.namespace)
        if known.source == Source.GO_MODULE:
            return await seccomp.is_added(kube)
        return known.source == Source.VENDOR

    async def _rights(self, config: Path) -> list[Manifest]:
        """The module's service account and rights, in our namespace and with its labels."""
        found = await crds.read(config / "rbac" / "cluster" / name for name in RBAC_FILES)
        for manifest in found:
            manifest["metadata"]["labels"] = LABELS
            if manifest["kind"] == "ServiceAccount":
                manifest["metadata"]["namespace"] = self.namespace
            for subject in manifest.get("subjects", []):
                subject["namespace"] = self.namespace
        return found

    def _deployment(self, site: Site) -> Manifest:
        # PGO's own labels and the seed's `kubectl logs -l` agree on this one.
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": RELEASE, "namespace": self.namespace, "labels": LABELS},
            "spec": {
                "replicas": 1,
                # Two of them would both act on the same clusters.
                "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": LABELS},
                "template": {
                    "metadata": {
                        "labels": LABELS,
                        "annotations": pod_notes(site, (IMAGE,)),
                    },
                    "spec": {"serviceAccountName": RELEASE, "containers": [_container()]},
                },
            },
        }


def _container() -> dict[str, Any]:
    """PGO's container, within the restricted pod security standard."""
    kinds = ("POSTGRES_15", "PGBACKREST", "PGBOUNCER", "PGEXPORTER")
    return {
        "name": "operator",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "env": [
            {
                "name": "PGO_NAMESPACE",
                "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}},
            },
            # It would ask its vendor at every start, from networks that don't reach it.
            {"name": "CHECK_FOR_UPGRADES", "value": "false"},
            *({"name": f"RELATED_IMAGE_{kind}", "value": POSTGRES_IMAGE} for kind in kinds),
        ],
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
