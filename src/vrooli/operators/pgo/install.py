"""Installs PGO from its vendor's chart, or from the Go module's manifests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vrooli.events import Progress
from vrooli.kube import Kube, Manifest
from vrooli.operators.installation import crds, helm, pod_policy, record
from vrooli.operators.installation.images import pod_annotations
from vrooli.operators.model import Distribution, Operator, Site, Source, VendorChart
from vrooli.operators.pgo import names, seccomp

# The Go module proxy serves a commit between two releases of PGO, before 5.4.
GO_MODULE_VERSION = "5.4"
IMAGE = f"localhost/vrooli/postgres-operator:{GO_MODULE_VERSION}"
# One image holds PostgreSQL, pgBackRest and pgBouncer.
POSTGRES_IMAGE = "localhost/vrooli/postgres:15"
RELEASE = "pgo"
# The seed's `kubectl logs -l` selects by this label, too.
LABELS = {names.CONTROL_PLANE_LABEL: "postgres-operator"}
RBAC_FILES = ("service_account.yaml", "role.yaml", "role_binding.yaml")
VENDOR = VendorChart(
    "pgo",
    "5.8.2",
    (
        "https://charts.crunchydata.com",
        "oci://registry.developers.crunchydata.com/crunchydata",
    ),
)
DISTRIBUTIONS = {
    Source.VENDOR: Distribution(VENDOR.version, RELEASE, release=RELEASE),
    Source.GO_MODULE: Distribution(GO_MODULE_VERSION, RELEASE, (IMAGE, POSTGRES_IMAGE)),
}


def inputs(source: Source, site: Site) -> Mapping[str, Any]:
    """The manifests of this product; the vendor's chart is identified by its version."""
    if source is Source.VENDOR:
        return {}
    return {"deployment": _deployment(site), "seccomp": seccomp.POLICY.manifests()}


async def install(operator: Operator, source: Source, site: Site, progress: Progress) -> None:
    """Install the vendor's chart, or apply the Go module's manifests with our Deployment."""
    if source is Source.VENDOR:
        values = {"disable_check_for_upgrades": True}
        await helm.install_vendor(operator, RELEASE, site, values, progress)
        return
    config = await site.module_dir(operator.name, progress) / "config"
    definitions = await crds.read(sorted((config / "crd" / "bases").glob("*.yaml")))
    await crds.apply(site.kube, definitions, progress)
    await pod_policy.apply(seccomp.POLICY, site.kube, progress)
    for manifest in await _rbac(config):
        await site.kube.apply(manifest)
    await site.kube.apply(_deployment(site))


async def is_restricted(kube: Kube) -> bool | None:
    """Whether the pods of its databases meet the restricted pod security standard.

    Those of the vendor's version do; of an operator that this product did not install, it is
    unknown (None).
    """
    installed = await record.read(kube, names.NAMESPACE)
    if installed.source == Source.GO_MODULE:
        return await pod_policy.is_applied(seccomp.POLICY, kube)
    return True if installed.source == Source.VENDOR else None


async def _rbac(config: Path) -> list[Manifest]:
    """The module's service account and roles, in our namespace and with its labels."""
    manifests = await crds.read(config / "rbac" / "cluster" / name for name in RBAC_FILES)
    for manifest in manifests:
        manifest["metadata"]["labels"] = LABELS
        if manifest["kind"] == "ServiceAccount":
            manifest["metadata"]["namespace"] = names.NAMESPACE
        for subject in manifest.get("subjects", []):
            subject["namespace"] = names.NAMESPACE
    return manifests


def _deployment(site: Site) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": RELEASE, "namespace": names.NAMESPACE, "labels": LABELS},
        "spec": {
            "replicas": 1,
            # Two of them would both act on the same clusters.
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": LABELS},
            "template": {
                "metadata": {"labels": LABELS, "annotations": pod_annotations(site, (IMAGE,))},
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
            # Else it connects to its vendor at every start; not every network allows that.
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
