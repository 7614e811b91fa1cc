"""Takes secrets out of texts that are kept or shown.

Known values go in any usual spelling, and so does whatever looks like a password.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "(masked)"
# Shorter values (a port, a user's name) stand in too many other words.
SHORTEST = 6
# What Secrets hold beside secrets: where something is and what it is called. Masking those would
# take the names out of every line.
_PLAIN = re.compile(
    r"(?i)(?:.*[-_.])?(?:host|port|user|username|db|dbname|name|namespace|crt|env|level)"
)
# Helm's notes: the objects of a release, no secrets of anybody.
_HELM = "helm.sh/"
# What names a secret, in settings, JSON and command lines, and the passwords in addresses.
_NAMED = re.compile(
    r"""(?ix) (\b [\w.-]* (?: password | passwd | secret | token | api[_-]?key ) [\w.-]*
    ["']? \s* [:=] \s* ) ( "[^"]*" | '[^']*' | [^\s,;&"']+ )"""
)
_IN_ADDRESS = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+(@)", re.IGNORECASE)
# base64 encodes three bytes at a time: the same value has three spellings inside a longer one.
_OFFSETS = (0, 1, 2)


class Redactor:
    """Masks the values of some Secrets."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        found = {text for value in values for text in _spellings(value)}
        # The longest first: one value may be a part of another.
        ordered = sorted(found, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    @classmethod
    def of(cls, secrets: Iterable[Mapping[str, Any]]) -> Redactor:
        """The one that knows every secret value of these Secret objects."""
        return cls(secret_values(secrets))

    def text(self, text: str) -> str:
        """The text without secrets."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return _IN_ADDRESS.sub(rf"\1{MASK}\2", _NAMED.sub(rf"\1{MASK}", text))

    def tree(self, value: Any) -> Any:
        """A structure of mappings and lists, every text in it without secrets."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.tree(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.tree(inner) for inner in value]
        return value


def secret_values(secrets: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Every value of these Secret objects that must not be shown."""
    return (
        _decoded(value)
        for secret in secrets
        if not (secret.get("type") or "").startswith(_HELM)
        for key, value in (secret.get("data") or {}).items()
        if not _PLAIN.fullmatch(key)
    )


def _decoded(value: str) -> str:
    return base64.b64decode(value).decode(errors="replace")


def _spellings(value: str) -> Iterator[str]:
    """A value as it may stand in a text: itself, its lines, in JSON, in URLs, in base64."""
    for part in {value, *value.splitlines()}:
        if len(part.strip()) < SHORTEST:
            continue
        for text in (part, part.strip()):
            yield text
            yield json.dumps(text)[1:-1]
            yield quote(text, safe="")
            yield quote_plus(text)
            yield from _base64(text.encode())


def _base64(raw: bytes) -> Iterator[str]:
    """Its spellings wherever it begins in a longer text, without the ends that others share."""
    for offset in _OFFSETS:
        whole = base64.b64encode(b"\0" * offset + raw).decode()
        begin = -(-offset * 8 // 6)
        inner = whole[begin:].rstrip("=")
        inner = inner if (offset + len(raw)) % 3 == 0 else inner[:-1]
        if len(inner) >= SHORTEST:
            yield inner
            yield inner.translate(str.maketrans("+/", "-_"))
