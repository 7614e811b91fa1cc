"""Makes text of others inert: it cannot control a terminal, reorder a line or forge one.

Logs, events, names and messages are written by others. Every text that a terminal or a page shows
passes through this module. JSON holds the original text, with escapes for the same characters.
No I/O here.
"""

from __future__ import annotations

import functools
import html as html_module
import re
import unicodedata
from collections.abc import Callable

# The replacement of a character that is not shown, of the end of a line within a text, and of a run
# of spaces that would push the rest out of sight or into another column.
REPLACEMENT, LINE_END, WIDE = "\ufffd", " ⏎ ", " ␣ "
# Programs align their output with up to eight spaces. The last two are blank symbols: of Braille,
# and of music.
_WIDE = re.compile("[ \t\u2800\U0001d159]{9,}")
# The marks on a character, such as accents; more of them would cover the lines around it.
MARKS = 4
# Parts of Korean syllables without a width of their own. Source: Unicode, Hangul_Syllable_Type.
_SYLLABLE_PARTS = "\u1160-\u11ff\ud7b0-\ud7ff"
# The last character of the Basic Multilingual Plane, and a mark of it in place of those beyond: a
# pattern with their many ranges is slow at any character beyond, such as an emoji.
_BMP_END, _MARK = 0xFFFF, "\u0301"
# The blocks beyond it that have marks; those of emojis and of Han characters have none.
_MARKS_BEYOND = re.compile("[\U00010000-\U0001efff\U000e0000-\U000effff]")
# Sequences of a terminal: CSI (colours, cursor), OSC and other strings (titles, hyperlinks).
# Source: ECMA-48, sections 5.4 and 5.6.
# It begins with a set of characters, which makes the search three times as fast.
_SEQUENCE = re.compile(
    "[\x1b\x90\x98\x9b\x9d-\x9f](?:"
    "(?:(?<=\x9b)|(?<=\x1b)\\[)[0-?]*[ -/]*[@-~]"
    "|(?:(?<=[\x90\x98\x9d-\x9f])|(?<=\x1b)[]PX^_])"
    "[^\x07\x1b\x90\x98\x9b-\x9f]*(?:\x07|\x1b\\\\|\x9c))"
)
# Letters and marks without a width. Source: Unicode, Default_Ignorable_Code_Point.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0000-\U000e0fff]"
)


def is_shown(sign: str) -> bool:
    """Whether a character is visible or a space.

    Controls, format characters (bidirectional controls, zero-width characters), separators of
    lines, surrogates, private and unassigned characters are not.
    """
    return sign.isprintable() and not _INVISIBLE.match(sign)


def is_inert(text: str) -> bool:
    """Whether all characters of a text are visible or spaces, with few marks on each."""
    if text.isascii():
        return text.isprintable()
    if not text.isprintable() or _INVISIBLE.search(text):
        return False
    return not _pile().search(_with_short_marks(text))


def _with_short_marks(text: str) -> str:
    """The text, of the same length, with `_MARK` in place of each mark beyond the first plane."""
    if _MARKS_BEYOND.search(text):
        for sign in set(text):
            if ord(sign) > _BMP_END and _is_mark(sign):
                text = text.replace(sign, _MARK)
    return text


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign)[0] == "M"


@functools.cache
def _pile() -> re.Pattern[str]:
    """The pattern of marks after the first `MARKS`.

    It is compiled at the first text that needs it, which takes some milliseconds.
    """
    one = f"[{_SYLLABLE_PARTS}{''.join(filter(_is_mark, map(chr, range(_BMP_END + 1))))}]"
    return re.compile(f"{one}{{{MARKS}}}({one}+)")


def _without_excess(text: str, replace: Callable[[str], str]) -> str:
    """The text with something else in place of the excess marks on each character."""
    parts, before = [], 0
    for match in _pile().finditer(_with_short_marks(text)):
        begin, end = match.span(1)
        parts += [text[before:begin], replace(text[begin:end])]
        before = end
    return "".join([*parts, text[before:]])


def without_sequences(text: str) -> str:
    """Return a text without the control sequences of terminals."""
    return _SEQUENCE.sub("", text)


def lines(text: str) -> str:
    """Return a text without control and format characters; line feeds and tabs remain."""
    if is_inert(text):
        return text
    text = without_sequences(text).replace("\r\n", "\n")
    return _without_excess("".join(map(_shown, text)), lambda _: REPLACEMENT)


def _shown(sign: str) -> str:
    if sign in "\n\t" or is_shown(sign):
        return sign
    # Spaces of other widths.
    return " " if unicodedata.category(sign) == "Zs" else REPLACEMENT


def line(text: str) -> str:
    """Return a text as one line without control and format characters and without wide gaps."""
    if not is_inert(text):
        parts = (lines(part) for part in without_sequences(text).strip("\r\n").splitlines())
        text = LINE_END.join(parts)
    return _WIDE.sub(WIDE, text)


def html(value: object) -> str:
    """Return a value as text for HTML, SVG and their attributes."""
    return html_module.escape(lines(str(value)), quote=True)


def json(text: str) -> str:
    """Return JSON with escapes for the characters that are not shown: its meaning is the same."""
    if is_inert(text):
        return text
    text = "".join(sign if sign == "\n" or is_shown(sign) else _escape(sign) for sign in text)
    return _without_excess(text, lambda marks: "".join(map(_escape, marks)))


def _escape(sign: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
