"""The new value of a secret: a generated one in Vault, or that of an interrupted rotation."""

from __future__ import annotations

import json
from collections.abc import Mapping

from vrooli.errors import PrerequisiteError, UsageError
from vrooli.kube import Kube
from vrooli.rotation import readers, targets
from vrooli.rotation.model import Kind, Rotated, Target, Value, generate
from vrooli.secrets import usable
from vrooli.vault.client import VaultClient


async def ensure(vault: VaultClient, kube: Kube, target: Target, replacement: str = "") -> Value:
    """Write a new value to Vault, unless pods do not use the one that is there yet.

    Args:
        vault: The Vault.
        kube: The cluster.
        target: The secret.
        replacement: The value to write; empty generates one.

    Raises:
        PrerequisiteError: Vault has no such secret, or no value that could be kept beside it.
        VaultConflictError: Somebody else has changed it in between.
        UsageError: The new value cannot be used.
    """
    kind = target.kind
    if reason := usable.problem(kind.key, replacement):
        raise UsageError(f"The value for {kind.key} cannot be used: {reason}.")
    read = await vault.read_version(target.mount, target.path)
    if read is None:
        raise PrerequisiteError(
            f"Vault has no secret {target.mount}/{target.path}.",
            "Run `vrooli setup` for the Vault of development, or create it.",
        )
    values, version = read
    published = await targets.read(kube, target.namespace, target.published)
    state = await targets.read(kube, target.namespace, target.state_secret)
    current = values.get(kind.key, "")
    is_usable = bool(current) and not usable.problem(kind.key, current)
    continues = is_pending(target, published, state, current) or (
        target.name is Rotated.SHARED
        and await readers.is_missing(kube, target, {kind.published_key: current})
    )
    if is_usable and replacement in ("", current) and continues:
        return Value(current, False, previous_data(target, published, state, current), version)
    new = replacement or generate()
    written = await vault.write_version(
        target.mount, target.path, {**values, kind.key: new}, version
    )
    return Value(new, True, published, written)


def is_pending(
    target: Target, published: Mapping[str, str], state: Mapping[str, str], current: str
) -> bool:
    """Whether pods may not use the value in Vault yet, or a database accepts the one before."""
    kind = target.kind
    return not has_value(kind, published, current) or bool(kind.state and kind.state in state)


def has_value(kind: Kind, data: Mapping[str, str], value: str) -> bool:
    """Whether the data of a Secret contains a value."""
    text = data.get(kind.published_key, "")
    if kind.published_key != ".dockerconfigjson":
        return text == value
    try:
        logins = json.loads(text)["auths"].values()
    except (ValueError, LookupError, AttributeError):
        return False
    return any(login.get(kind.key) == value for login in logins)


def previous_data(
    target: Target, published: Mapping[str, str], state: Mapping[str, str], current: str
) -> Mapping[str, str]:
    """The values that must be refused later; empty if an interrupted rotation replaced them."""
    if not has_value(target.kind, published, current):
        return published
    if target.name is Rotated.REDIS and state.get(target.kind.state):
        return {target.kind.published_key: state[target.kind.state]}
    return {}
