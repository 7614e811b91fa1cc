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

    Without permission to read the operators' namespaces, the standard that the namespace already
    enforces is kept.
    """
    try:
        results = await asyncio.gather(*(item.is_restricted(kube) for item in OPERATORS))
        restricted = all(results)
    except ApiError as error:
        if not error.is_forbidden:
            raise
        current = await kube.get("v1", "Namespace", namespace)
        restricted = labels(current or {}).get(f"{MODES}enforce") == RESTRICTED
    return RESTRICTED if restricted else BASELINE


def security_labels(security: str) -> dict[str, str]:
    """The labels of a namespace that enforces a standard."""
    return {f"{MODES}enforce": security, f"{MODES}warn": RESTRICTED}


def has_security_labels(namespace: Manifest | None, security: str) -> bool:
    """Whether a namespace exists and enforces a standard."""
    return security_labels(security).items() <= labels(namespace or {}).items()
