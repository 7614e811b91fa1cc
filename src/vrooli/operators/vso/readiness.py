"""When a VaultStaticSecret is ready. No I/O here.

VSO writes a failure into its events only; its status has the result of the last success.
"""

from __future__ import annotations

from vrooli.kube.objects import Body, number, text
from vrooli.kube.snapshot import Snapshot


def is_synced(body: Body) -> bool:
    """Whether the operator has ever written the Secret."""
    return bool(text(body, "status", "secretMAC"))


def is_current(body: Body) -> bool:
    """Whether the operator has written the Secret since the resource was last changed."""
    return number(body, "status", "lastGeneration") >= number(body, "metadata", "generation")


def summary(body: Body, objects: Snapshot) -> str:
    """The Secret that it writes."""
    del objects
    return f"the Secret {text(body, 'spec', 'destination', 'name')} is synced"


def unready_reason(body: Body, objects: Snapshot) -> str | None:
    """The Secret is written, and since the last change."""
    del objects
    name = text(body, "spec", "destination", "name")
    if not is_synced(body):
        return f"the Secret {name} is not synced from Vault yet"
    if not is_current(body):
        return f"the Secret {name} is not synced again since its last change"
    return None
