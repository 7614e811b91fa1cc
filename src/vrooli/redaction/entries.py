"""Entries with separate keys for name and value, and lines with a fixed order of fields.

Each pattern has bounded quantifiers only. No I/O here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli.redaction.names import is_plain, names_secret
from vrooli.redaction.tokens import QUOTE, Span

_BETWEEN = r"\s{0,20}+(?::|=>?|%3[ad])\s{0,20}+"
# A list entry of an environment or of headers, and an XML element with attributes. It is searched
# in lower case, so that it begins with literal text.
_ENTRY = re.compile(
    rf"""(?:name|key)(?<![\w-].)?{QUOTE}?{_BETWEEN}{QUOTE}?(?P<name>[\w./ -]{{1,80}}?){QUOTE}?
    [,\s;]{{1,20}}+{QUOTE}?value{QUOTE}?{_BETWEEN}
    (?:(?P<q>{QUOTE})(?P<quoted>[^\n]{{0,4000}}?)(?:(?<!\\)(?P=q)|$)|(?P<bare>[^\s,}}\])]++))""",
    re.VERBOSE | re.MULTILINE,
)
# Keys of Vault: `{{"keys": [...], "keys_base64": [...]}}`.
_KEYS = re.compile(r'"keys(?:_base64)?\\{0,7}":\s{0,20}+\[(?P<keys>[^\]]{16,4000}+)')
# Lines of a pgpass file: host:port:database:user:password.
_PGPASS = re.compile(
    r":(?:\d{3,5}|\*):(?P<db>[\w.*$-]{1,63}+):(?P<user>[\w.*@$-]{1,63}+):(?P<password>[^\s\"']++)"
)
_HOST = re.compile(r"[\w.*-]{1,100}+")
_IPV6_GROUP = re.compile(r"[0-9a-f]{1,4}")


def in_entries(text: str, lower: str) -> list[Span]:
    """The values of entries whose name denotes a secret, of Vault's keys and of pgpass lines."""
    spans: list[Span] = []
    if "value" in lower:
        spans += _named_entries(text, lower)
    if '"keys' in lower:
        spans += [match.span("keys") for match in _KEYS.finditer(text)]
    spans += [span for match in _PGPASS.finditer(text) if (span := _pgpass(text, match))]
    return spans


def positions(text: str, lower: str) -> Iterator[int]:
    """Where a line may have one of these values."""
    at = lower.find("value")
    while at >= 0:
        begin, end = lower.rfind("\n", 0, at) + 1, lower.find("\n", at)
        end = len(lower) if end < 0 else end
        if lower.find("name", begin, end) >= 0 or lower.find("key", begin, end) >= 0:
            yield at
        at = lower.find("value", end)
    at = lower.find('"keys')
    while at >= 0:
        yield at
        at = lower.find('"keys', at + 1)
    yield from (match.start() for match in _PGPASS.finditer(text))


def _named_entries(text: str, lower: str) -> list[Span]:
    spans = []
    for match in _ENTRY.finditer(lower):
        begin, end = match.span("name")
        if not names_secret(text[begin:end]):
            continue
        span = match.span("quoted" if match["q"] else "bare")
        value = text[slice(*span)]
        if value and not is_plain(value):
            spans.append(span)
    return spans


def _pgpass(text: str, match: re.Match[str]) -> Span | None:
    host = _HOST.match(text[max(0, match.start() - 100) : match.start()][::-1])
    if host is None or is_plain(match["password"]):
        return None
    fields = (host[0][::-1], match["db"], match["user"])
    if all(map(_IPV6_GROUP.fullmatch, fields)) or not any(map(str.isalpha, match["user"])):
        return None
    return match.span("password")
