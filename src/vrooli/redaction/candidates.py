"""Which lines of a log may have a secret: one search of all lines instead of one of each.

No I/O here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from vrooli import inert
from vrooli.redaction import entries, plain_text, runs, shapes, tokens
from vrooli.redaction.known import KnownValues
from vrooli.redaction.shapes import Hit

# Longer lines are examined as a whole: limits that grow with a line do not apply to shorter ones.
LONG_LINE = 1_600


@dataclass
class Candidates:
    """The different lines that may have a secret; the others have none.

    Attributes:
        whole: Those to examine as a whole, because of more than words.
        words: The words that may mark a secret, by line; none for lines after the limit.
    """

    whole: set[str] = field(default_factory=set)
    words: dict[str, Sequence[Hit]] = field(default_factory=dict)


def find(lines: Iterable[str], known: KnownValues, most: int) -> Candidates:
    """Search the lines of a log, which may be empty and may repeat.

    Args:
        lines: The lines.
        known: The values of Secrets.
        most: How many words are returned; nobody can examine more.
    """
    result = Candidates()
    different = list(dict.fromkeys(filter(None, lines)))
    searched = [line for line in different if len(line) <= LONG_LINE and "\n" not in line]
    if len(searched) < len(different):
        result.whole = set(different).difference(searched)
    if not searched:
        return result
    text = "\n".join(searched)
    ends = list(accumulate(len(line) + 1 for line in searched))
    lower = shapes.lowered(text)
    for positions in (
        known.positions(text),
        entries.positions(text, lower),
        plain_text.positions(text),
        (end - 1 for _, end in tokens.unprefixed(text)),
        (begin for begin, _ in runs.secret_runs(text, shapes.contains)),
    ):
        result.whole |= {searched[number] for number in _numbers(ends, positions)}
    if not inert.is_inert(text.replace("\n", "").replace("\t", "").replace("\r", "")):
        result.whole |= {line for line in searched if not inert.is_inert(line)}
    hits = shapes.words(lower)
    numbers = _by_line(ends, hits[:most])
    result.words = {searched[number]: of_line for number, of_line in numbers.items()}
    for number in _numbers(ends, (start for _, start, _ in hits[most:])) - numbers.keys():
        result.words[searched[number]] = ()
    result.whole |= {searched[number] for number in _numbers(ends, shapes.keys(hits))}
    return result


def _numbers(ends: Sequence[int], positions: Iterable[int]) -> set[int]:
    """The numbers of the lines with these positions."""
    numbers, begin, end = set(), 0, 0
    for position in positions:
        if not begin <= position < end:
            number = bisect_right(ends, position)
            begin, end = ends[number - 1] if number else 0, ends[number]
            numbers.add(number)
    return numbers


def _by_line(ends: Sequence[int], hits: Iterable[Hit]) -> dict[int, list[Hit]]:
    """The words by the numbers of their lines, with their bounds there."""
    result: dict[int, list[Hit]] = {}
    begin = end = 0
    of_line: list[Hit] = []
    for word, start, stop in hits:
        if start >= end:
            number = bisect_right(ends, start)
            begin, end = ends[number - 1] if number else 0, ends[number]
            of_line = result[number] = []
        of_line.append((word, start - begin, stop - begin))
    return result
