"""The pod security standard that a release's namespace enforces, as far as its operators allow.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from collections.abc import Mapping

from vrooli.kube import ApiError, Kube, Manifest
from vrooli.operators.pgo import PostgresOperator

BASELINE, RESTRICTED = "baseline", "restricted"
MODES = "pod-security.kubernetes.io/"


async def of_databases(kube: Kube, namespace: str) -> str:
    """The strictest standard that the pods of a namespace's PostgreSQL are within.

    Whoever may not look at the operator leaves what the namespace enforces already.
    """
    try:
        restricted = await PostgresOperator().is_restricted(kube)
    except ApiError as error:
        if not error.is_forbidden:
            raise
        there = await kube.get("v1", "Namespace", namespace)
        restricted = _labels_of(there).get(f"{MODES}enforce") == RESTRICTED
    return RESTRICTED if restricted else BASELINE


def labels(security: str) -> dict[str, str]:
    """What a namespace that enforces a standard is labelled with."""
    return {f"{MODES}enforce": security, f"{MODES}warn": RESTRICTED}


def has_labels(namespace: Manifest | None, security: str) -> bool:
    """Whether a namespace is there and enforces a standard."""
    return labels(security).items() <= _labels_of(namespace).items()


def _labels_of(namespace: Manifest | None) -> Mapping[str, str]:
    return (namespace or {}).get("metadata", {}).get("labels") or {}
