"""The pod security standard that a release's namespace enforces, as far as the operators allow it.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

import asyncio

from vrooli.kube import ApiError, Kube, Manifest
from vrooli.kube.objects import labels
from vrooli.operators.catalog import OPERATORS

BASELINE, RESTRICTED = "baseline", "restricted"
MODES = "pod-security.kubernetes.io/"


async def of_databases(kube: Kube, namespace: str) -> str:
    """The strictest standard that the pods of a namespace's databases meet.

    If it is unknown, the standard that the namespace already enforces is kept: for an operator that
    somebody else installed, and without permission to read the operators' namespaces.
    """
    try:
        results = await asyncio.gather(*(item.is_restricted(kube) for item in OPERATORS))
    except ApiError as error:
        if not error.is_forbidden:
            raise
        results = [None]
    if all(results):
        return RESTRICTED
    if False in results:
        return BASELINE
    current = await fetch_namespace(kube, namespace)
    is_kept = labels(current or {}).get(f"{MODES}enforce") == RESTRICTED
    return RESTRICTED if is_kept else BASELINE


async def fetch_namespace(kube: Kube, name: str) -> Manifest | None:
    """A namespace; an empty object if this kubeconfig may not read it, None if it does not exist.

    Its owner may deploy without permission to read it.
    """
    try:
        return await kube.get("v1", "Namespace", name)
    except ApiError as error:
        if not error.is_forbidden:
            raise
        return {}


def security_labels(security: str) -> dict[str, str]:
    """The labels of a namespace that enforces a standard."""
    return {f"{MODES}enforce": security, f"{MODES}warn": RESTRICTED}


def has_security_labels(namespace: Manifest | None, security: str) -> bool:
    """Whether a namespace exists and enforces a standard."""
    return security_labels(security).items() <= labels(namespace or {}).items()
