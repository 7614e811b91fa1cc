"""Long runs of letters and digits: keys, and base64 that contains secrets. No I/O here."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

from vrooli.redaction.tokens import Span

# The characters of a run become one letter, all others except "=" a space: a search for literal
# text is several times as fast as one for a set of characters.
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-")
_CLASSES = bytes(
    ord("a") if code in _LETTERS else ord("=" if code == ord("=") else " ") for code in range(256)
)
_RUN = re.compile(b"a" * 16 + b"a*+={0,2}")
_PRINTABLE = 0.95
# Sequences of letters and digits that are longer than names, without punctuation.
_LONG_RUN, _LONG_PART = 40, 20
# The minimum length of such a sequence in a random value of an environment.
_MIN_RANDOM = 16
_CONTROLS = bytes(sorted({*range(32), 127} - set(b"\n\t\r")))
_ADDRESS = re.compile(r"[\s:]|\.\w+\.|^/")
# The runs that are examined closely: a number for any text, and more for each so many characters.
_FREE_RUNS, _CHARACTERS_PER_RUN = 64, 48


def is_random(value: str) -> bool:
    """Whether a setting's value looks random, like a key, and not like a name or an address."""
    return (
        len(value) >= _MIN_RANDOM
        and not _ADDRESS.search(value)
        and _has_all_classes(value.rstrip("="))
    )


def secret_runs(
    text: str, contains_secret: Callable[[str], bool], unsearched: int = 0
) -> Iterator[Span]:
    """The runs that are a key, or whose decoded text contains a secret.

    The work is bounded: if there are too many candidates, the remaining ones count as secret.

    Args:
        text: Any text.
        contains_secret: Whether a decoded text contains a secret.
        unsearched: The number of characters that were left out of the text; they allow work too.
    """
    allowed = _FREE_RUNS + (len(text) + unsearched) // _CHARACTERS_PER_RUN
    classes = text.encode("ascii", "replace").translate(_CLASSES)
    for match in _RUN.finditer(classes):
        begin, end = match.span()
        run = text[begin:end]
        # A run behind "=" is the value of a setting, whose name decides.
        if run.islower() or run.isupper() or classes[begin - 1 : begin] == b"=":
            continue
        allowed -= 1
        if allowed < 0 or _is_key(run) or _contains(run, contains_secret):
            yield begin, end


def _contains(run: str, contains_secret: Callable[[str], bool]) -> bool:
    decoded = _decoded(run)
    return decoded is not None and contains_secret(decoded)


def _is_key(run: str) -> bool:
    unpadded = run.rstrip("=")
    return len(unpadded) >= _LONG_RUN and any(
        len(part) >= _LONG_PART and _has_all_classes(part)
        for part in unpadded.replace("_", "/").replace("-", "/").split("/")
    )


def _has_all_classes(text: str) -> bool:
    return text.upper() != text and text.lower() != text and not text.isalpha() and _digit(text)


def _digit(text: str) -> bool:
    return any(map(text.__contains__, "0123456789"))


def _decoded(run: str) -> str | None:
    """The decoded base64, or None if it is not a text."""
    run = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        raw = binascii.a2b_base64(run + "=" * (-len(run) % 4), strict_mode=True)
    except binascii.Error:
        return None
    if len(raw) - len(raw.translate(None, _CONTROLS)) > (1 - _PRINTABLE) * len(raw):
        return None
    text = raw.decode(errors="replace")
    readable = len(text) - text.count("\ufffd")
    if readable >= _PRINTABLE * len(text) and not text.isprintable():
        readable = sum(sign.isprintable() or sign in "\n\t\r" for sign in text if sign != "\ufffd")
    return unquote(text) if readable >= _PRINTABLE * len(text) else None
