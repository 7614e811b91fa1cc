"""What Secrets and pods have when a version of a secret has arrived. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from vrooli.kube.objects import mapping
from vrooli.operators.vso import templates
from vrooli.rotation.model import Rotated, SyncedSecret, Target
from vrooli.rotation.values import has_value

# The names of variables that each version of Kubernetes takes from a Secret, and shells can print.
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The rotator replaces the user by the login role that has the password.
USER = "DB_USER"


def has_arrived(
    secret: SyncedSecret,
    data: Mapping[str, str],
    values: Mapping[str, Any],
    removed: Collection[str] = (),
) -> bool:
    """Whether the data of a Secret is that of a version.

    Args:
        secret: The secret, whose templates write keys of their own.
        data: The data of the Secret that VSO or the rotator writes.
        values: The values in Vault.
        removed: The keys that are in Vault no more.
    """
    if _copies_no_keys(secret):
        if not isinstance(secret, Target) or secret.name is not Rotated.DOCKERHUB:
            return True
        return has_value(secret.kind, data, str(values.get(secret.kind.key, "")))
    own = {*templates.templates(secret.sync), *([USER] if secret.rotator else [])}
    copied = {key: text for key, text in values.items() if isinstance(text, str) and key not in own}
    return copied.items() <= data.items() and not data.keys() & (set(removed) - own)


def _copies_no_keys(secret: SyncedSecret) -> bool:
    """Whether only templates write the Secret."""
    return bool(mapping(secret.sync, "spec", "destination", "transformation").get("excludes"))


def of_pods(
    secret: SyncedSecret, values: Mapping[str, Any], removed: Collection[str] = ()
) -> dict[str, str]:
    """The values that pods have in their environment, by key; empty for a removed key.

    Pods are only restarted for them: with a rotator, for the password of Redis, and for all keys of
    PostgreSQL but the user.
    """
    if _copies_no_keys(secret):
        return {}
    texts = {key: value for key, value in values.items() if isinstance(value, str)}
    chosen = {**texts, **dict.fromkeys(removed, "")}
    if isinstance(secret, Target) and secret.rotator:
        chosen.pop(USER, None)
        if secret.name is Rotated.REDIS:
            chosen = {key: value for key, value in chosen.items() if key == secret.kind.key}
    return {key: value for key, value in chosen.items() if _VARIABLE.fullmatch(key)}
