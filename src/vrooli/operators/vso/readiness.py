"""When a VaultStaticSecret is ready. No I/O here.

Since version 1.3, VSO writes the condition Ready, and for a failed attempt the condition
SecretSynced with the error (controllers/vaultstaticsecret_controller.go). `lastGeneration` is then
that of the last attempt. Before, VSO writes a failure into its events only, and its status has the
result of the last success.
"""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.kube.objects import Body, items, number, text
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.status import find_condition
from vrooli.operators.reconciliation import Evidence, uncounted, warned
from vrooli.operators.vso.names import STATIC_SECRET

READY, SYNCED = "Ready", "SecretSynced"


def is_synced(body: Body) -> bool:
    """Whether the operator has ever written the Secret."""
    return bool(text(body, "status", "secretMAC"))


def is_current(body: Body) -> bool:
    """Whether the operator has observed the resource since it was last changed."""
    observed = number(body, "status", "lastGeneration")
    for item in items(body, "status", "conditions"):
        if text(item, "type") == READY:
            observed = number(item, "observedGeneration", default=observed)
    return observed >= number(body, "metadata", "generation")


def summary(body: Body, objects: Snapshot) -> str:
    """The Secret that it writes."""
    del objects
    return f"the Secret {text(body, 'spec', 'destination', 'name')} is synced"


def unready_reason(body: Body, objects: Snapshot) -> str | None:
    """The Secret is written, and since the last change; the condition Ready, if any, is true."""
    del objects
    name = text(body, "spec", "destination", "name")
    failure = _failure(body)
    if not is_synced(body):
        return f"the Secret {name} is not synced from Vault yet{failure or ''}"
    if not is_current(body):
        return f"the Secret {name} is not synced again since its last change"
    return None if failure is None else f"the Secret {name} is not synced from Vault{failure}"


def _failure(body: Body) -> str | None:
    """The error of the last attempt, after a colon; None if it succeeded or is not reported."""
    ready = find_condition(body, READY)
    if ready is None or not ready.is_false:
        return None
    synced = find_condition(body, SYNCED)
    # Its message also has the time until the next attempt, which differs each time.
    error = synced.message.partition("err=")[2] if synced and synced.is_false else ""
    return f": {error}" if error else ""


def unreconciled(evidence: Evidence) -> Iterator[str]:
    """The objects that it has not reconciled since its start, or whose last attempt failed.

    A failed attempt counts like a success, and is an event.
    """
    yield from uncounted(evidence)
    yield from warned(evidence, STATIC_SECRET)
