"""The keys of a secret in Vault that a VaultStaticSecret's templates read. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from vrooli.kube.objects import Body, mapping, text

# `get .Secrets "KEY"`, `index .Secrets "KEY"`, `.Secrets.KEY`, with quotes of either kind.
_KEY = re.compile(r"""\.Secrets(?:\.([A-Za-z_]\w*)|\s+["`]([^"`]+)["`])""")


def templates(secret: Body) -> Mapping[str, str]:
    """The templates of a VaultStaticSecret, by the key that each of them writes."""
    definitions = mapping(secret, "spec", "destination", "transformation", "templates")
    return {key: text(item, "text") for key, item in definitions.items()}


def read_keys(template: str) -> frozenset[str]:
    """The keys that the text of a template reads.

    https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/secret-transformation
    """
    return frozenset(field or quoted for field, quoted in _KEY.findall(template))


def secret_keys(secret: Body) -> frozenset[str]:
    """The keys that all templates of a VaultStaticSecret read."""
    return frozenset().union(*map(read_keys, templates(secret).values()))


def keys_by_path(secrets: Iterable[Body]) -> dict[tuple[str, str], frozenset[str]]:
    """The keys that the templates of VaultStaticSecrets read, by mount and path in Vault."""
    keys: dict[tuple[str, str], frozenset[str]] = {}
    for secret in secrets:
        place = text(secret, "spec", "mount"), text(secret, "spec", "path")
        keys[place] = keys.get(place, frozenset()) | secret_keys(secret)
    return keys
