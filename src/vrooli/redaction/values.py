"""The values of Secrets that must be masked, and all encodings of a value. No I/O here."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from vrooli.redaction import shapes
from vrooli.redaction.names import is_plain, names_secret

# Shorter values (a port, a user's name) occur in too many other words.
MIN_LENGTH = 6
# Keys in Secrets whose values are locations and names. Masking those would remove names from
# every line.
_PLAIN_KEY = re.compile(
    r"(?i)(?:.*[-_.])?"
    r"(?:host|port|user|username|db|dbname|name|namespace|level|region|(?P<env>env)|(?P<crt>crt))"
)
# A key such as `app.env` may hold a file of settings, and `db.crt` a key beside its certificate.
_ENVIRONMENT = re.compile(r"\s*[A-Za-z-]{1,20}\s*")
_CERTIFICATE = re.compile(r"\s*(?:-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\s*)+")
# A setting in a line of a file: `NAME=value`, `name: value`, `export NAME="value"`.
_SETTING = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?["']?([\w.-]{1,100})["']?[ \t]*[=:](.*)$""", re.MULTILINE
)
# How a program logs in, not with what; masking it would hide a common word in all texts.
_MODE = re.compile(r"""^[ \t]*["']?auth["']?[ \t]*[=:][ \t]*["']?([a-z]{1,12})\b""", re.MULTILINE)
# What a value may be followed by.
_SETTING_ENDS = " \t\r,;"
_QUOTES = ("'", '"')
# Common values of settings, and addresses without credentials. An address has a host: "https://"
# alone may be a password.
_PLAIN_VALUE = re.compile(
    r"(?i)development|production|staging|default|localhost|postgres|password|disable|require"
    r"|prefer|verify-(?:ca|full)|enabled|disabled|(?-i:https?)://[\w\[][^@?]*"
)
# A placeholder or a reference must match completely: a password may begin like one.
_PLACEHOLDER_STARTS = ("$", "<", "{")
_PLACEHOLDER = re.compile(
    r"\$\([\w.-]+\) | \$\{[\w.-]+\} | \$[A-Z][A-Z0-9_]+ | \{\{[^{}]*\}\} | <[A-Za-z][A-Za-z _-]*>",
    re.VERBOSE,
)
# The first and last line of a key or certificate; the lines between are masked separately.
_PEM = re.compile(r"-----(?:BEGIN|END) [A-Z0-9 ]+-----")
# Helm's release records contain the release's objects, not secrets.
_HELM = "helm.sh/"
# Characters whose escapes the search does not decode, since they have a meaning.
_MEANINGFUL = "\"'\\<>&`"
# base64 encodes three bytes at a time: a value has three spellings inside a longer text.
_OFFSETS = (0, 1, 2)


def secret_values(secrets: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Every value of these Secret objects that must be masked."""
    for secret in secrets:
        if str(secret.get("type") or "").startswith(_HELM):
            continue
        for key, value in _data(secret):
            if not _is_public(key, value):
                yield from _with_inner(value)


def _is_public(key: str, value: str) -> bool:
    """Whether a value of a Secret is a location, a name or a certificate."""
    match = _PLAIN_KEY.fullmatch(key)
    if match is None:
        return False
    if match["env"]:
        return _ENVIRONMENT.fullmatch(value) is not None
    return not match["crt"] or _CERTIFICATE.fullmatch(value) is not None


def _data(secret: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field, decode in (("data", decode_base64), ("stringData", str)):
        section = secret.get(field)
        if isinstance(section, Mapping):
            yield from ((str(key), decode(str(value))) for key, value in section.items())


def decode_base64(value: str) -> str:
    """The decoded value of base64; the value itself if it is not base64."""
    try:
        return base64.b64decode(value, validate=True).decode(errors="replace")
    except (binascii.Error, ValueError):
        return value


def _with_inner(value: str) -> Iterator[str]:
    """A value, the secrets in it if it is a file, and its decoded text if it is base64."""
    yield value
    modes = set(_MODE.findall(value))
    yield from (inner for inner in _of_file(value) if inner not in modes)
    inner = decode_base64(value.strip())
    if inner != value.strip() and len(inner) >= MIN_LENGTH and inner.isprintable():
        yield inner


def _of_file(value: str) -> Iterator[str]:
    """What a file of settings names as secrets, and what looks like one."""
    yield from _json_values(value)
    for name, rest in _SETTING.findall(value):
        if names_secret(name):
            # A comment may follow, or be part of the value.
            yield from (_unquoted(rest), _unquoted(rest.partition(" #")[0]))
    yield from (value[begin:end] for begin, end in shapes.find(value))


def _unquoted(rest: str) -> str:
    """The value of a setting, without quotes: a pattern for it would take quadratic time."""
    value = rest.strip(" \t").rstrip(_SETTING_ENDS)
    value = value[value.startswith(_QUOTES) :]
    return value[: len(value) - value.endswith(_QUOTES)]


def _json_values(value: str) -> Iterator[str]:
    if value.lstrip()[:1] not in ("{", "["):
        return
    try:
        yield from _named_values(json.loads(value), hidden=False)
    except (ValueError, RecursionError):
        return


def _named_values(value: Any, *, hidden: bool) -> Iterator[str]:
    if isinstance(value, str):
        if hidden:
            yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _named_values(inner, hidden=names_secret(str(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from _named_values(inner, hidden=hidden)


def spellings(value: str) -> Iterator[str]:
    """All encodings of a value in texts: plain, by line, in JSON, in URLs, in base64."""
    for part in {value, *value.splitlines()}:
        for text in {part, part.strip()}:
            if len(text.strip()) >= MIN_LENGTH and not _is_common(text):
                yield from _plain(text)
                for once in _base64(text.encode()):
                    yield from (once, quote(once, safe=""), once.replace("/", "\\/"))
                    yield from _base64(once.encode())


def _is_common(text: str) -> bool:
    """Whether masking it would remove common words, or hide what is public."""
    text = text.strip()
    if text.startswith(_PLACEHOLDER_STARTS):
        return _PLACEHOLDER.fullmatch(text) is not None
    return is_plain(text) or bool(_PLAIN_VALUE.fullmatch(text)) or _PEM.match(text) is not None


def _plain(text: str) -> Iterator[str]:
    raw = text.encode()
    yield text
    yield raw.hex()
    yield raw.hex().upper()
    escaped, unicode_escaped = json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]
    yield from (escaped, unicode_escaped, html.escape(text))
    # As shells, Compose files and SQL write it.
    yield from (text.replace("'", "'\\''"), text.replace("'", "''"))
    yield from (text.replace("$", "\\$"), text.replace("$", "$$"))
    yield from (json.dumps(escaped)[1:-1], json.dumps(unicode_escaped, ensure_ascii=False)[1:-1])
    if any(sign in text for sign in _MEANINGFUL):
        # The search decodes such escapes of all other characters.
        yield _escapes(text)
    if not text.isascii():
        yield re.sub(r"\\u(....)", lambda match: f"\\u{match[1].upper()}", escaped)
    # Go writes these three as escapes in JSON.
    yield _go_escapes(unicode_escaped)
    yield json.dumps(_go_escapes(unicode_escaped), ensure_ascii=False)[1:-1]
    # The third is that of JavaScript's encodeURIComponent.
    for address in (quote(text, safe=""), quote(text), quote(text, safe="!'()*"), quote_plus(text)):
        yield address
        yield re.sub("%..", lambda match: match[0].lower(), address)
        yield quote(address, safe="")


def _escapes(text: str) -> str:
    """The value in JSON, with escapes by number for the characters that have a meaning."""
    return "".join(f"\\u{ord(sign):04x}" if sign in _MEANINGFUL else sign for sign in text)


def _go_escapes(text: str) -> str:
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _base64(raw: bytes) -> Iterator[str]:
    """Its spellings at each offset of a longer text, without the characters at its ends."""
    for offset in _OFFSETS:
        whole = base64.b64encode(b"\0" * offset + raw).decode()
        begin = -(-offset * 8 // 6)
        inner = whole[begin:].rstrip("=")
        inner = inner if (offset + len(raw)) % 3 == 0 else inner[:-1]
        if len(inner) >= MIN_LENGTH:
            yield inner
            yield inner.translate(str.maketrans("+/", "-_"))
