"""Redaction of a namespace's Secrets in messages and reports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from vrooli.errors import VrooliError
from vrooli.kube import ApiError, Kube, NoAnswerError
from vrooli.redaction import Redactor, secret_values

# Helm's records are larger than all other Secrets together, and hold no passwords of their own.
NOT_HELM = "type!=helm.sh/release.v1"
# The pause after a watch that failed, seconds; it doubles.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0


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
    """A redactor for each change of the namespace's Secrets, until the permission is missing.

    It masks all values since the start, since a log may still contain an old one.

    Args:
        kube: The cluster.
        namespace: The namespace.
        values: The values that are known.
    """
    known, pause = values, FIRST_PAUSE_S
    while True:
        try:
            async for _, secret in kube.watch("v1", "Secret", namespace, fields=NOT_HELM):
                pause = FIRST_PAUSE_S
                if new := frozenset(secret_values([secret])) - known:
                    known |= new
                    yield Redactor(known)
        except ApiError as error:
            if error.is_forbidden:  # the known values are masked
                return
        except NoAnswerError:
            pass
        # Each watch begins with all Secrets, so none that came meanwhile is missed.
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_S)
