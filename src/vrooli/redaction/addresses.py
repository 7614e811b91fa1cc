"""Passwords in addresses such as ``postgres://app:password@db:5432/name``. No I/O here."""

from __future__ import annotations

import re

from vrooli.redaction.tokens import Span

# The longest address that is examined; the user and the password stand at its beginning.
_LONGEST = 500
_SCHEME = re.compile(r"[a-z0-9+.-]{0,30}[a-z]", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s\"'<>]{0,500}+")
# The next address of a list.
_NEXT = re.compile(r"[,;|&=(]{1,3}[a-z][a-z0-9+.-]{1,30}(?::/|%3A%2F)", re.IGNORECASE)
_HOST = re.compile(r"[\w.-]+|\[[0-9a-fA-F:.]+\]|\*|\(masked\)")
_PORT = re.compile(r"\d{1,5}(?=[/?#]|$)")
# A user without a password may be a token; names are shorter.
_MIN_TOKEN = 16
SIGNS = ("://", "%3a%2f%2f")


def password_at(text: str, start: int, end: int) -> Span | None:
    """The password of the address whose ``://`` has these bounds, or its user if it is a token.

    The password may itself contain ``@``, ``/`` and ``:``: it ends at the last ``@`` before a
    host.
    """
    is_encoded = text[start] == "%"
    colon, at_sign = ("%3a", "%40") if is_encoded else (":", "@")
    if not _has_sign(text, end, at_sign) or not _SCHEME.match(
        text[max(0, start - 31) : start][::-1]
    ):
        return None
    match = _ADDRESS.match(text, end)
    address = match[0] if match else ""
    searched = address.lower() if is_encoded else address
    if following := _NEXT.search(address):
        searched = searched[: following.start()]
    at = _last_at(searched, at_sign)
    if at < 0:
        # The address is cut within a password, or has none.
        return None
    separator = searched.find(colon, 0, at)
    if separator >= 0 and not _is_host_and_port(searched, separator, text, start):
        return end + separator + len(colon), end + at
    if separator < 0 and at >= _MIN_TOKEN and "/" not in searched[:at]:
        return end, end + at
    return None


def _has_sign(text: str, start: int, sign: str) -> bool:
    """Whether the sign follows at all; between two addresses it must follow a password."""
    if text.find(sign, start, start + _LONGEST) < 0:
        return False
    following = text.find("://", start, start + _LONGEST)
    return following < 0 or any(mark in text[start:following] for mark in (":", "%", "@"))


def _last_at(address: str, sign: str) -> int:
    """The position of the sign before the host; -1 if there is none.

    Signs in the query belong to the password only if no other precedes the query.
    """
    query = address.find("?")
    before = address[:query] if query >= 0 else address
    for area in dict.fromkeys((before, address)):
        at = area.rfind(sign)
        for _ in range(8):
            if at < 0:
                break
            if _HOST.match(address, at + len(sign)):
                return at
            at = area.rfind(sign, 0, at)
    return -1


def _is_host_and_port(address: str, colon: int, text: str, start: int) -> bool:
    """Whether ``host:port/path@version`` has a colon that begins a port."""
    is_web = text[max(0, start - 5) : start].lower().endswith(("http", "https", "oci"))
    has_path = "/" in address[: address.find("@") if "@" in address else len(address)]
    if colon == 0 or not has_path or not is_web:
        return "/" in address[:colon]
    return "/" in address[:colon] or _PORT.match(address, colon + 1) is not None
