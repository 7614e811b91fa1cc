"""The plain form of a text: without control sequences, invisible characters and needless escapes.

Only for the search of secrets: a text without secrets is shown as it was written. No I/O here.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_FREE_REPLACEMENTS, _CHARACTERS_PER_REPLACEMENT = 1000, 24
# Control sequences of terminals (ECMA-48: CSI, OSC and others) and characters without a width:
# soft hyphen, joiners, directions, the byte order mark.
_INVISIBLE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,40}+[ -/]{0,10}+[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]{0,200}+"
    r"(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]{0,4}+[0-~]?"
    r"|[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
# C0 and C1 but tab and line ends; programs separate fields with some of them.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# The same sequence written with an escape, as in JSON.
_WRITTEN_CONTROLS = re.compile(
    r"(?:\\{1,4}+(?:u001[bB]|x1[bB]|033|e)|\^\[|#033)\[[0-9;?]{0,40}+[A-Za-z]"
    r"|\\{1,4}+u(?:00[aA][dD]|200[b-fB-F]|202[a-eA-E]|206[0-9a-fA-F]|[fF][eE][fF][fF])"
)
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


def plain(text: str) -> str:
    """The plain form of a text; the number of replacements is bounded by its length."""
    if not text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable():
        text = _replaced(_INVISIBLE, "", text)
        text = _replaced(_CONTROLS, " ", text)
    if "\\" in text or "^[" in text or "#033" in text:
        text = _replaced(_WRITTEN_CONTROLS, "", text)
        text = _replaced(_UNICODE_ESCAPE, _unescaped, text)
        text = _replaced(_HEX_ESCAPE, _unescaped, text)
    if "&#" in text:
        text = _replaced(_ENTITY, _character, text)
    if "%" in text:
        text = _replaced(_PERCENT, _unreserved, text)
    return text


def _replaced(pattern: re.Pattern[str], by: str | Callable[[re.Match[str]], str], text: str) -> str:
    return pattern.sub(by, text, _FREE_REPLACEMENTS + len(text) // _CHARACTERS_PER_REPLACEMENT)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1].lower()
    return _IN_TEXT.get(code, f"\\u00{code}")


def _unreserved(match: re.Match[str]) -> str:
    return _IN_ADDRESS.get(match[1].lower(), match[0])


def _character(match: re.Match[str]) -> str:
    code = match[1].lower() if match[1] else f"{int(match[2]):02x}"
    return _IN_TEXT.get(code, match[0])
