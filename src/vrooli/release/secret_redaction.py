"""Redaction of a namespace's Secrets in messages and reports."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from vrooli.errors import VrooliError
from vrooli.kube import ApiError, Kube
from vrooli.redaction import Redactor, secret_values

# Helm's records are larger than all other Secrets together, and hold no passwords of their own.
NOT_HELM = "type!=helm.sh/release.v1"


async def redactor(kube: Kube, namespace: str) -> Redactor:
    """A redactor of the namespace's Secret values; only of patterns if they can't be read."""
    return Redactor(await fetch_values(kube, namespace))


async def fetch_values(kube: Kube, namespace: str) -> frozenset[str]:
    """The values of the namespace's Secrets; none if they can't be read."""
    try:
        return frozenset(secret_values(await kube.list("v1", "Secret", namespace, fields=NOT_HELM)))
    except VrooliError:
        return frozenset()


async def follow(
    kube: Kube, namespace: str, values: frozenset[str]
) -> AsyncGenerator[Redactor, None]:
    """A redactor for each change of the namespace's Secrets, without end.

    It masks all values since the start, since a log may still contain an old one.

    Args:
        kube: The cluster.
        namespace: The namespace.
        values: The values that are known.
    """
    known = values
    try:
        async for _, secret in kube.watch("v1", "Secret", namespace, fields=NOT_HELM):
            if new := frozenset(secret_values([secret])) - known:
                known |= new
                yield Redactor(known)
    except ApiError:  # without the permission, the known values are masked
        return
