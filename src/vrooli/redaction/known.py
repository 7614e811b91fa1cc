"""Finds the values of Secrets in texts, in all their encodings. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ahocorasick_rs import AhoCorasick

from vrooli.redaction.tokens import Span, encodable, in_ascii
from vrooli.redaction.values import MIN_LENGTH, spellings

# Bytes in hexadecimal with separators: `aa:bb`, `aa bb`, `\xaa\xbb`, `0xaa, 0xbb`.
_NEXT_BYTE = r"(?:[ :,.-]{0,2}+(?:0x|\\{1,4}+x)|[ :,.-]{1,2}+)[0-9A-Fa-f]{2}(?![0-9A-Za-z])"
_BYTES = re.compile(rf"(?<![0-9A-Fa-f])(?:0x|\\{{1,4}}+x)?[0-9A-Fa-f]{{2}}(?:{_NEXT_BYTE}){{5,}}+")
# The second byte of a sequence and all that follow. Each begins with literal text, which makes it
# many times as fast.
_BYTES_HINTS = tuple(
    re.compile(rf"{sign}[0-9A-Fa-f]{{2}}(?:{_NEXT_BYTE}){{4}}")
    for sign in (":", " ", ",", "-", r"\.", "x")
)
_NO_DIGITS = str.maketrans("", "", " :,.-\\x")
# What a log puts before each line: a time, the stream and tag of CRI, klog's header, a level.
_PREFIX = re.compile(
    r"(?:\[[^\]\n]{1,80}+\]\s{1,4}+)?"
    r"(?:\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d\S{0,16}+\s{1,4}+(?:[A-Z]{3,4}\s)?)?"
    r"(?:std(?:out|err)\s[FP]\s)?"
    r"(?:[IWEF]\d{4}\s\d\d:\d\d:\d\d\.\d{1,9}\s{1,8}\d{1,8}\s\S{1,80}\]\s)?"
    r"(?:\[\d{1,8}\]:?\s)?(?:\[?(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|LOG|DETAIL)\]?:?\s{1,4}+)?"
)
_PREFIX_SIGNS = frozenset("[0123456789sIWEFDTL")


class KnownValues:
    """A set of values, found by the first characters of each of their encodings.

    An automaton of all encodings would take gigabytes for a thousand values; one of their
    beginnings takes less than a tenth.
    """

    def __init__(self, values: Iterable[str]) -> None:
        texts = {text for value in values for text in _spellings(value)}
        by_prefix: dict[str, list[str]] = {}
        # The longest first, since one value may be a part of another.
        for text in sorted(texts, key=len, reverse=True):
            by_prefix.setdefault(encodable(text[:MIN_LENGTH]), []).append(text)
        self._candidates = list(by_prefix.values())
        self._finder = AhoCorasick(by_prefix) if by_prefix else None
        self._encoded = in_ascii if all(map(str.isascii, by_prefix)) else encodable

    def spans(self, text: str) -> list[Span]:
        """The spans of the values in a text, in order and without overlaps."""
        spans = self._direct(text)
        if self._finder is not None:
            spans = [*spans, *self._separated(text)]
        return spans

    def positions(self, text: str) -> Iterator[int]:
        """The begins of values, also of those that overlap."""
        if self._finder is None:
            return
        hits = self._finder.find_matches_as_indexes(self._encoded(text), overlapping=True)
        for number, start, _ in hits:
            if any(text.startswith(value, start) for value in self._candidates[number]):
                yield start
        yield from (begin for begin, _ in self._separated(text))

    def in_lines(self, lines: Sequence[str]) -> Iterator[tuple[int, int, int]]:
        """The parts of values that the ends of lines split: the line's number, and the bounds."""
        if self._finder is None:
            return
        yield from self._split(lines, {})
        starts = {
            number: match.end()
            for number, line in enumerate(lines)
            if line and line[0] in _PREFIX_SIGNS and (match := _PREFIX.match(line)) and match.end()
        }
        if starts:
            yield from self._split(lines, starts)

    def _direct(self, text: str) -> list[Span]:
        if self._finder is None:
            return []
        spans, free = [], 0
        hits = self._finder.find_matches_as_indexes(self._encoded(text), overlapping=True)
        for number, start, _ in hits:
            if start >= free:
                for value in self._candidates[number]:
                    if text.startswith(value, start):
                        free = start + len(value)
                        spans.append((start, free))
                        break
        return spans

    def _separated(self, text: str) -> Iterator[Span]:
        if not any(hint.search(text) for hint in _BYTES_HINTS):
            return
        for match in _BYTES.finditer(text):
            if self._direct(match[0].lower().replace("0x", "").translate(_NO_DIGITS)):
                yield match.span()

    def _split(
        self, lines: Sequence[str], starts: Mapping[int, int]
    ) -> Iterator[tuple[int, int, int]]:
        """The parts of values in the joined lines, without the prefixes that end at ``starts``."""
        rests = list(lines)
        for number, start in starts.items():
            rests[number] = lines[number][start:]
        spans = self._direct("".join(rests))
        if not spans:
            return
        position, first = 0, 0
        for number, rest in enumerate(rests):
            end = position + len(rest)
            while first < len(spans) and spans[first][1] <= position:
                first += 1
            at = first
            while at < len(spans) and spans[at][0] < end:
                begin, stop = spans[at]
                # Values within one line are found with all other encodings.
                if begin < position or stop > end:
                    offset = starts.get(number, 0) - position
                    yield number, max(begin, position) + offset, min(stop, end) + offset
                at += 1
            position = end


def _spellings(value: str) -> Iterable[str]:
    try:
        return list(spellings(value))
    except Exception:  # noqa: BLE001 - the value itself is masked all the same
        return [value]
