"""The Vault Secrets Operator (VSO): VaultConnection, VaultAuth, VaultStaticSecret."""

from __future__ import annotations

from vrooli.kube.objects import label_selector
from vrooli.operators.custom_resource import SAMPLE_NAME, CustomResource, build_sample
from vrooli.operators.model import WATCH, Operator, Permission
from vrooli.operators.vso import install, names, readiness

CONNECTION = CustomResource(names.API_VERSION, names.CONNECTION, "vaultconnections")
AUTH = CustomResource(names.API_VERSION, names.AUTH, "vaultauths")
STATIC_SECRET = CustomResource(
    names.API_VERSION,
    names.STATIC_SECRET,
    "vaultstaticsecrets",
    readiness=readiness.unready_reason,
    summary=readiness.summary,
    generation_field="lastGeneration",
)
PERMISSIONS = (
    Permission(WATCH, names.API_VERSION, names.STATIC_SECRET),
    Permission(WATCH, names.API_VERSION, names.AUTH),
    Permission(WATCH, names.API_VERSION, names.CONNECTION),
    Permission(("update",), names.API_VERSION, names.STATIC_SECRET, "status"),
    Permission(("get", "create", "update"), "v1", "Secret"),
    Permission(("get",), "v1", "ServiceAccount"),
    Permission(("create",), "v1", "ServiceAccount", "token"),
    Permission(("patch",), "apps/v1", "Deployment"),
)
SAMPLE = build_sample(
    STATIC_SECRET,
    {
        "vaultAuthRef": SAMPLE_NAME,
        "mount": "secret",
        "type": "kv-v2",
        "path": SAMPLE_NAME,
        "destination": {"name": SAMPLE_NAME, "create": True},
    },
)
# Version 0.10.0 from either source: the newest that both have.
VSO = Operator(
    name="vault-secrets-operator",
    title="Vault Secrets Operator",
    subject="the Vault Secrets Operator",
    outage="no secret is synced from Vault and none is renewed",
    namespace=names.NAMESPACE,
    selector=label_selector(names.LABELS),
    vendor=install.VENDOR,
    distributions=install.DISTRIBUTIONS,
    inputs=install.inputs,
    install=install.install,
    resources=(CONNECTION, AUTH, STATIC_SECRET),
    permissions=PERMISSIONS,
    metrics_port=8080,
    unreconciled=readiness.unreconciled,
    sample=SAMPLE,
)
