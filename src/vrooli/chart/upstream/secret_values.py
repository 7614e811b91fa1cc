"""Which values of a values file are secrets, and where in Vault each belongs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vrooli.chart.upstream.keys import Path
from vrooli.redaction import Redactor
from vrooli.redaction.names import is_plain, names_secret
from vrooli.secrets import catalog
from vrooli.secrets.catalog import SecretSpec

_REDACTOR = Redactor()
# Keys that contain a pull secret or a database, by a word in them; the first match applies.
_WORDS = {
    "docker": catalog.DOCKERHUB,
    "imagepull": catalog.DOCKERHUB,
    "registry": catalog.DOCKERHUB,
    "redis": catalog.REDIS,
    "postgres": catalog.POSTGRES,
    "database": catalog.POSTGRES,
}
_MOUNT = "secret"
# A mapping of names of keys in a Secret.
_KEY_NAMES = "secretKeys"


def contains_secret(path: Path, value: Any) -> bool:
    """Whether a value, or any value in it, is a secret by its key or by its shape."""
    if isinstance(value, dict):
        return any(contains_secret((*path, key), item) for key, item in value.items())
    if isinstance(value, list):
        return any(contains_secret(path, item) for item in value)
    if value is None or isinstance(value, bool) or _KEY_NAMES in path:
        return False
    text = str(value)
    if not text or (isinstance(value, str) and is_plain(text)):
        return False
    named = next((key for key in reversed(path) if isinstance(key, str)), "")
    return names_secret(named) or _REDACTOR.text(text) != text


def place(path: Path, spec: SecretSpec | None) -> tuple[SecretSpec, str]:
    """Return the secret in Vault that a value belongs to, and its key there.

    Args:
        path: Upstream's key.
        spec: The secret, if the table has it; otherwise it follows from the key.
    """
    names = [key for key in path if isinstance(key, str)]
    for item in catalog.ALL:
        if names[-1] in {key.name for key in item.keys if key.name.isupper()}:
            return item, names[-1]
    spec = spec or _by_words(names)
    passwords = [key.name for key in spec.keys if key.name.lower().endswith("password")]
    return spec, passwords[0] if passwords else names[-1]


def vault_path(spec: SecretSpec, secrets: Mapping[str, Any]) -> tuple[str, str]:
    """Return the mount and the path of a secret in Vault.

    Args:
        spec: The secret.
        secrets: `vso.secrets` of the converted values; it may set `vaultPath`.
    """
    value = secrets.get(spec.value)
    path = value.get("vaultPath") if isinstance(value, Mapping) else None
    mount, data, rest = str(path or "").partition("/data/")
    return (mount, rest) if data else (_MOUNT, spec.path)


def _by_words(names: list[str]) -> SecretSpec:
    text = ".".join(names).lower()
    is_variable = "env" in names
    matches = (spec for word, spec in _WORDS.items() if word in text and not is_variable)
    return next(matches, catalog.SERVER_JOBS)
