"""Makes text of others inert: it cannot control a terminal, reorder a line or forge one.

Logs, events, names and messages are written by others. Every text that a terminal or a page shows
passes through this module. JSON holds the original text, with escapes for the same characters.
No I/O here.
"""

from __future__ import annotations

import html as html_module
import re
import unicodedata

# The replacement of a character that is not shown, of the end of a line within a text, and of a run
# of spaces that would push the rest out of sight or into another column.
REPLACEMENT, LINE_END, WIDE = "\ufffd", " ⏎ ", " ␣ "
# Programs align their output with up to eight spaces.
_WIDE = re.compile(r"[ \t]{9,}")
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
    """Whether all characters of a text are visible or spaces."""
    return text.isprintable() and not _INVISIBLE.search(text)


def without_sequences(text: str) -> str:
    """Return a text without the control sequences of terminals."""
    return _SEQUENCE.sub("", text)


def lines(text: str) -> str:
    """Return a text without control and format characters; line feeds and tabs remain."""
    if is_inert(text):
        return text
    text = without_sequences(text).replace("\r\n", "\n")
    return "".join(map(_shown, text))


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
    return "".join(sign if sign == "\n" or is_shown(sign) else _escape(sign) for sign in text)


def _escape(sign: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
