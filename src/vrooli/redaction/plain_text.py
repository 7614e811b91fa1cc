"""The plain form of a text: without control sequences, invisible characters and needless escapes.

Only for the search of secrets: a text without secrets is shown as it was written. No I/O here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from vrooli import inert

_FREE_REPLACEMENTS, _CHARACTERS_PER_REPLACEMENT = 1000, 24
# The number of characters whose plain form is remembered.
_REMEMBERED = 10_000
# Short sequences, such as the selection of a character set.
_SHORT_SEQUENCE = re.compile(r"\x1b[ -/]{0,4}+[0-~]?")
# The same sequence written with an escape, as in JSON. It begins with a set of characters, which
# makes the search several times as fast.
_WRITTEN_CONTROLS = re.compile(
    r"[\\^#](?:(?<=\\)\\{0,3}+(?:(?:u001[bB]|x1[bB]|033|e)\[[0-9;?]{0,40}+[A-Za-z]"
    r"|u(?:00[aA][dD]|200[b-fB-F]|202[a-eA-E]|206[0-9a-fA-F]|[fF][eE][fF][fF]))"
    r"|(?:(?<=\^)\[|(?<=#)033)\[[0-9;?]{0,40}+[A-Za-z])"
)
_WRITTEN_HINTS = ("\\u", "\\x1", "\\033", "\\e")
_UNICODE_ESCAPE = re.compile(r"\\{1,7}+u00([2-7][0-9a-fA-F])")
_HEX_ESCAPE = re.compile(r"\\{1,7}+x([2-7][0-9a-fA-F])")
_PERCENT = re.compile(r"%([2-7][0-9a-fA-F])")
_ENTITY = re.compile(r"&#([xX][2-7][0-9a-fA-F]|[0-9]{2,3});")
# In JSON and HTML these characters have a meaning of their own.
_MEANINGFUL = frozenset("\"'\\<>&`\x7f")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")  # RFC 3986, section 2.3
_SIGNS = tuple(map(chr, range(0x20, 0x80)))
_IN_TEXT = frozenset(_SIGNS) - _MEANINGFUL
_HEX, _DECIMAL = ("{:02x}", "{:02X}"), ("{}", "{:03}")


def _by_digits(signs: Iterable[str], *forms: str) -> dict[str, str]:
    """The characters by what an escape of each has in place of it."""
    return {form.format(ord(sign)): sign for sign in signs for form in forms}


_ADDRESS_SIGNS = _by_digits(filter(_UNRESERVED.match, _SIGNS), *_HEX)
_ENTITY_SIGNS = _by_digits(_IN_TEXT, "x{:02x}", "x{:02X}", "X{:02x}", "X{:02X}", *_DECIMAL)
_TEXT_SIGNS = {
    digits: sign if sign in _IN_TEXT else f"\\u00{digits.lower()}"
    for digits, sign in _by_digits(_SIGNS, *_HEX).items()
}


class _PlainSigns(dict[int, str]):
    """The plain form of each character, as in `vrooli.inert`, which shows the text afterwards.

    A character without a width is left out. A control is a space: programs separate fields by some.
    """

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        if sign not in "\t\n\r" and not inert.is_shown(sign):
            sign = " " if unicodedata.category(sign) in ("Cc", "Zs", "Zl", "Zp") else ""
        if len(self) < _REMEMBERED:
            self[code] = sign
        return sign


_PLAIN_SIGNS = _PlainSigns()


def is_plain(text: str) -> bool:
    """Whether all characters of a text have a width; it may have escapes."""
    return inert.is_inert(text.replace("\n", "").replace("\t", "").replace("\r", ""))


def plain(text: str, most: int | None = None) -> str:
    """The plain form of a text.

    Args:
        text: The text.
        most: How many escapes of each kind are decoded, 0 for all. The default depends on the
            length of the text.
    """
    if not is_plain(text):
        # Twice, as for a line that is shown: one sequence may split another.
        before, text = text, inert.without_sequences(text)
        if text != before:
            text = inert.without_sequences(text)
        text = _SHORT_SEQUENCE.sub("", text).translate(_PLAIN_SIGNS)
    if most is None:
        most = _FREE_REPLACEMENTS + len(text) // _CHARACTERS_PER_REPLACEMENT
    has_backslash = "\\" in text
    if "^[[" in text or "#033" in text or (has_backslash and _has_hint(text)):
        text = _WRITTEN_CONTROLS.sub("", text)
    if has_backslash and "\\u00" in text:
        text = _decoded(_UNICODE_ESCAPE, _TEXT_SIGNS, text, most)
    if has_backslash and "\\x" in text:
        text = _decoded(_HEX_ESCAPE, _TEXT_SIGNS, text, most)
    if "&#" in text:
        text = _decoded(_ENTITY, _ENTITY_SIGNS, text, most)
    if "%" in text:
        text = _decoded(_PERCENT, _ADDRESS_SIGNS, text, most)
    return text


def plain_lines(lines: Sequence[str]) -> list[str]:
    """The plain form of each line; no escape or sequence spans two of them."""
    if not lines:
        return []
    text = "\n".join(lines)
    if not is_plain(text):
        # It ends any sequence, and is itself left out.
        text = "\x1b\n".join(lines)
    return plain(text, most=0).split("\n")


def _has_hint(text: str) -> bool:
    return any(map(text.__contains__, _WRITTEN_HINTS))


def _decoded(pattern: re.Pattern[str], signs: Mapping[str, str], text: str, most: int) -> str:
    return pattern.sub(lambda match: signs.get(match[1]) or match[0], text, most)
