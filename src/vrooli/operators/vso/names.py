"""The Vault Secrets Operator's API and labels: how it is recognized in any namespace."""

from __future__ import annotations

import re

from vrooli.kube import common_labels
from vrooli.kube.objects import Body, name, text

GROUP = "secrets.hashicorp.com"
API_VERSION = f"{GROUP}/v1beta1"
CONNECTION, AUTH, STATIC_SECRET = "VaultConnection", "VaultAuth", "VaultStaticSecret"
# The type of a secret whose versions Vault keeps.
KV_V2 = "kv-v2"
NAMESPACE = "vault-secrets-operator-system"
# Its chart sets it on its Deployment and its pods (vso.chart.selectorLabels in _helpers.tpl).
LABELS = {common_labels.NAME: "vault-secrets-operator"}
# The names of the chart's objects begin with the same text; this one's end is known.
_AUTH_SUFFIX = "vault"


def is_of_value(static_secret: Body, key: str) -> bool:
    """Whether the chart made a VaultStaticSecret of a key in its values (vso-secrets.yaml)."""
    return short_name(static_secret) == re.sub("([A-Z])", r"-\1", key).lower()


def short_name(static_secret: Body) -> str:
    """The name of a VaultStaticSecret without the prefix that all names of the release have."""
    prefix = text(static_secret, "spec", "vaultAuthRef").removesuffix(_AUTH_SUFFIX)
    return name(static_secret).removeprefix(prefix)
