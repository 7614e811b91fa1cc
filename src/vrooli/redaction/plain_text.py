"""The plain form of a text: without control sequences, invisible characters and needless escapes.

Only for the search of secrets: a text without secrets is shown as it was written. No I/O here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

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
_WRITTEN_HINTS = ("\\u", "\\x1", "\\033", "\\e", "^[[", "#033")
_UNICODE_ESCAPE = re.compile(r"\\{1,7}+u00([2-7][0-9a-fA-F])")
_HEX_ESCAPE = re.compile(r"\\{1,7}+x([2-7][0-9a-fA-F])")
_PERCENT = re.compile(r"%([2-7][0-9a-fA-F])")
_ENTITY = re.compile(r"&#(?:x([2-7][0-9a-fA-F])|(\d{2,3}));", re.IGNORECASE)
# In JSON and HTML these characters have a meaning of their own.
_MEANINGFUL = frozenset("\"'\\<>&`\x7f")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")  # RFC 3986, section 2.3
_BY_CODE = {f"{code:02x}": chr(code) for code in range(0x20, 0x7F)}
_IN_TEXT = {code: sign for code, sign in _BY_CODE.items() if sign not in _MEANINGFUL}
_IN_ADDRESS = {code: sign for code, sign in _BY_CODE.items() if _UNRESERVED.match(sign)}


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


def plain(text: str) -> str:
    """The plain form of a text; the number of escapes that are decoded is bounded by its length."""
    if not is_plain(text):
        # Twice, as for a line that is shown: one sequence may split another.
        before, text = text, inert.without_sequences(text)
        if text != before:
            text = inert.without_sequences(text)
        text = _SHORT_SEQUENCE.sub("", text).translate(_PLAIN_SIGNS)
    if any(map(text.__contains__, _WRITTEN_HINTS)):
        text = _WRITTEN_CONTROLS.sub("", text)
    if "\\u00" in text:
        text = _replaced(_UNICODE_ESCAPE, _unescaped, text)
    if "\\x" in text:
        text = _replaced(_HEX_ESCAPE, _unescaped, text)
    if "&#" in text:
        text = _replaced(_ENTITY, _character, text)
    if "%" in text:
        text = _replaced(_PERCENT, _unreserved, text)
    return text


def positions(text: str) -> Iterator[int]:
    """Where a line has escapes that its plain form may not have; one for each kind in a line."""
    patterns = {
        _WRITTEN_CONTROLS: any(map(text.__contains__, _WRITTEN_HINTS)),
        _UNICODE_ESCAPE: "\\u00" in text,
        _HEX_ESCAPE: "\\x" in text,
        _ENTITY: "&#" in text,
        _PERCENT: "%" in text,
    }
    for pattern, is_hinted in patterns.items():
        match = pattern.search(text) if is_hinted else None
        while match:
            yield match.start()
            end = text.find("\n", match.end())
            match = pattern.search(text, end) if end >= 0 else None


def _replaced(pattern: re.Pattern[str], by: Callable[[re.Match[str]], str], text: str) -> str:
    return pattern.sub(by, text, _FREE_REPLACEMENTS + len(text) // _CHARACTERS_PER_REPLACEMENT)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1].lower()
    return _IN_TEXT.get(code, f"\\u00{code}")


def _unreserved(match: re.Match[str]) -> str:
    return _IN_ADDRESS.get(match[1].lower(), match[0])


def _character(match: re.Match[str]) -> str:
    code = match[1].lower() if match[1] else f"{int(match[2]):02x}"
    return _IN_TEXT.get(code, match[0])
