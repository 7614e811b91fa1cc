"""Redaction of a namespace's Secrets in messages and reports."""

from __future__ import annotations

from vrooli.errors import VrooliError
from vrooli.kube import Kube
from vrooli.redaction import Redactor

# Helm's records are larger than all other Secrets together, and hold no passwords of their own.
NOT_HELM = "type!=helm.sh/release.v1"


async def redactor(kube: Kube, namespace: str) -> Redactor:
    """A redactor of the namespace's Secret values; only of patterns if they can't be read."""
    try:
        return Redactor.of(await kube.list("v1", "Secret", namespace, fields=NOT_HELM))
    except VrooliError:
        return Redactor()
