"""The Vault Secrets Operator's API and labels: how it is recognized in any namespace."""

from __future__ import annotations

from vrooli.kube import common_labels

GROUP = "secrets.hashicorp.com"
API_VERSION = f"{GROUP}/v1beta1"
CONNECTION, AUTH, STATIC_SECRET = "VaultConnection", "VaultAuth", "VaultStaticSecret"
# The type of a secret whose versions Vault keeps.
KV_V2 = "kv-v2"
NAMESPACE = "vault-secrets-operator-system"
# Its chart sets it on its Deployment and its pods (vso.chart.selectorLabels in _helpers.tpl).
LABELS = {common_labels.NAME: "vault-secrets-operator"}
