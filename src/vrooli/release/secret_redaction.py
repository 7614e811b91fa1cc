"""What keeps a namespace's secrets out of what is said of it."""

from __future__ import annotations

from vrooli.errors import VrooliError
from vrooli.kube import Kube
from vrooli.redaction import Redactor

# Helm's notes are larger than all other Secrets together, and nobody's password.
NOT_HELM = "type!=helm.sh/release.v1"


async def redactor(kube: Kube, namespace: str) -> Redactor:
    """Knows the values of the namespace's Secrets; only shapes where they can't be read."""
    try:
        return Redactor.of(await kube.list("v1", "Secret", namespace, fields=NOT_HELM))
    except VrooliError:
        return Redactor()
