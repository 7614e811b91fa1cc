"""Masks unknown secrets in any text, by their name or their shape. No I/O here.

One pass of an Aho-Corasick automaton finds the words that may mark a secret; around each word a
bounded part of the text is examined. The work grows linearly with the text, whatever stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ahocorasick_rs import AhoCorasick, MatchKind

from vrooli.redaction import addresses, commands, entries, runs, settings, tokens
from vrooli.redaction.names import KEY_KINDS, MASK, PLAIN_WORDS
from vrooli.redaction.tokens import Span, in_ascii

# The number of nested base64 encodings that are decoded.
_DEPTH = 3
# The work at words, in microseconds or so: an amount for any text, and more with its length.
# Lines with words beyond that are masked as a whole, at least so many characters at once.
_FREE_WORK, _CHARACTERS_PER_WORK = 200, 64
_MASKED_AT_ONCE = 2_000
_WORK_OF_A_SECRET = 4
_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z0-9 ]{0,60}(?:PRIVATE KEY|OPENSSH)[A-Z0-9 -]{0,60}?-----")
_KEY_END = "-----END "
# The begin of a private key in lower case.
KEY_BEGIN = "-----begin"
_YAML_KEYS = ("key: |", "key: >", "key:|", "key:>")
_NAMES = (
    *PLAIN_WORDS,
    *(f"{kind}{sign}key" for kind in KEY_KINDS for sign in ("", " ", "_", "-")),
    *("pass", "pwd", "pw", "psw", "pswd", "auth", "authorization", "-key", "sig="),
)
_SPOKEN = ("basic ", "digest ", "negotiate ", "identified by", "auth-pass", "identified  by")
_SPOKEN_NAMES = frozenset(
    ("password", "passwd", "passphrase", "passcode", "bearer", "requirepass", "masterauth")
)
_NAME, _TOKEN, _HOOK, _ADDRESS, _PROGRAM, _SENTENCE, _KEY, _YAML, _REDIS = range(9)
_KINDS: dict[str, int] = {
    **dict.fromkeys(_SPOKEN, _SENTENCE),
    **dict.fromkeys(tokens.PREFIXES, _TOKEN),
    **dict.fromkeys(tokens.HOOK_PREFIXES, _HOOK),
    **dict.fromkeys(addresses.SIGNS, _ADDRESS),
    **dict.fromkeys(commands.PROGRAMS, _PROGRAM),
    **dict.fromkeys(_YAML_KEYS, _YAML),
    **dict.fromkeys(_NAMES, _NAME),
    KEY_BEGIN: _KEY,
    "setuser": _REDIS,
}
_WORK = (3, 1, 1, 2, 3, 2, 1, 2, 3)
_WORDS = tuple(_KINDS)
_KIND_OF = tuple(_KINDS.values())
_KEY_NUMBER = _KIND_OF.index(_KEY)
_FINDER = AhoCorasick(_WORDS, matchkind=MatchKind.LeftmostLongest)

Hit = tuple[int, int, int]
is_random = runs.is_random


def mask(text: str, depth: int = _DEPTH) -> str:
    """The text with everything masked that looks like a secret."""
    return replace(text, find(text, depth))


def find(text: str, depth: int = _DEPTH) -> list[Span]:
    """The spans of a text that look like secrets, in any order."""
    lower = lowered(text)
    spans = at_words(text, words(lower))
    spans += tokens.unprefixed(text)
    spans += entries.in_entries(text, lower)
    if depth:
        spans += runs.secret_runs(text, lambda inner: contains(inner, depth - 1))
    return spans


def contains(text: str, depth: int = _DEPTH - 1) -> bool:
    """Whether a text, such as the decoded base64 in another one, has what looks like a secret."""
    return bool(find(text, depth))


def words(lower: str) -> list[Hit]:
    """The words of a text in lower case that may mark a secret, in order."""
    return _FINDER.find_matches_as_indexes(in_ascii(lower))


def keys(hits: Iterable[Hit]) -> Iterator[int]:
    """The begins of private keys, which may have further lines."""
    return (start for number, start, _ in hits if number == _KEY_NUMBER)


def lowered(text: str) -> str:
    """The text in lower case, with the same length."""
    # Only this letter has a longer lower case.
    return text.replace("\u0130", "i").lower()


def replace(text: str, spans: Sequence[Span]) -> str:
    """The text with ``MASK`` in place of the spans, which may overlap."""
    parts: list[str] = []
    position = 0
    if not spans:
        return text
    for begin, end in _merged(spans):
        if text.startswith(MASK, begin) and end - begin == len(MASK):
            continue
        parts += (text[position:begin], MASK)
        position = end
    return text if not position else "".join([*parts, text[position:]])


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """The spans in order; those that overlap or touch are one."""
    last: Span | None = None
    for begin, end in sorted(spans):
        if end <= begin:
            continue
        if last is None or begin > last[1]:
            if last is not None:
                yield last
            last = (begin, end)
        else:
            last = (last[0], max(last[1], end))
    if last is not None:
        yield last


def at_words(text: str, hits: Sequence[Hit]) -> list[Span]:
    """The secrets at the words; words inside of a secret are skipped.

    The work is bounded. Lines with words that it does not cover are masked as a whole.
    """
    spans: list[Span] = []
    free = 0
    work = _FREE_WORK + len(text) // _CHARACTERS_PER_WORK
    for index, (number, start, end) in enumerate(hits):
        if start < free:
            continue
        if work < 0:
            return [*spans, *_lines_of(text, hits[index:])]
        found, free = _at_word(text, number, start, end, free)
        work -= _WORK[_KIND_OF[number]]
        if found:
            spans += found
            free = max(free, found[-1][1])
            work -= _WORK_OF_A_SECRET
    return spans


def _lines_of(text: str, hits: Iterable[Hit]) -> Iterator[Span]:
    """The lines that contain the words, and some of those between them."""
    end = 0
    for _, start, _ in hits:
        if start >= end:
            begin = text.rfind("\n", 0, start) + 1
            end = text.find("\n", start + _MASKED_AT_ONCE)
            end = len(text) if end < 0 else end
            yield begin, end


def _at_word(  # noqa: PLR0911 - one return for each kind
    text: str, number: int, start: int, end: int, free: int
) -> tuple[list[Span], int]:
    """The secrets at one word, and the position before which other words need no look."""
    kind, word = _KIND_OF[number], _WORDS[number]
    if kind == _NAME:
        return _at_name(text, word, start, end)
    if kind == _TOKEN:
        return _listed(tokens.token_at(text, start)), free
    if kind == _ADDRESS:
        return _listed(addresses.password_at(text, start, end)), free
    if kind == _PROGRAM:
        return _listed(commands.option_value(text, word, end)), free
    if kind == _SENTENCE:
        return _listed(settings.spoken_value(text, start)), free
    if kind == _KEY:
        return _listed(_key_block(text, start)), free
    if kind == _HOOK:
        return _listed(tokens.hook_at(text, start)), free
    if kind == _YAML:
        return _listed(settings.block_of(text, start, end)), free
    return commands.redis_values(text, start), free


def _at_name(text: str, word: str, start: int, end: int) -> tuple[list[Span], int]:
    if word == "auth" and (found := commands.redis_values(text, start)):
        return found, end
    begin, name_end = settings.name_around(text, start, end - (word == "sig="))
    if value := settings.value_of(text, begin, name_end):
        return [value], name_end
    if word in _SPOKEN_NAMES and (value := settings.spoken_value(text, start)):
        return [value], name_end
    # A name may end in a token: `secret-ghp_…`.
    return [], end


def _listed(span: Span | None) -> list[Span]:
    return [span] if span else []


def _key_block(text: str, start: int) -> Span | None:
    """A private key between its first and its last line; without a last line, all that follows."""
    match = _KEY_BLOCK.match(text, start)
    if match is None:
        return None
    end = text.find(_KEY_END, match.end())
    return match.end(), len(text) if end < 0 else end
