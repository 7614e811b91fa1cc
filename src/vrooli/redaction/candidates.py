"""Which lines of a log may have a secret: one search of all lines instead of one of each.

No I/O here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

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
        escaped: Those whose plain form is to be examined; as written they have no secret.
        words: The words that may mark a secret, by line; none for lines after the limit.
    """

    whole: set[str] = field(default_factory=set)
    escaped: set[str] = field(default_factory=set)
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
        (end - 1 for _, end in tokens.unprefixed(text)),
        (begin for begin, _ in runs.secret_runs(text, shapes.contains)),
    ):
        result.whole |= {searched[number] for number in _numbers(ends, positions)}
    hits = shapes.words(lower)
    if shapes.KEY_BEGIN in lower:
        result.whole |= {searched[number] for number in _numbers(ends, shapes.keys(hits))}
    for line, of_line in _by_line(searched, ends, hits):
        result.words[line] = of_line if most > 0 else ()
        most -= len(of_line)
    escaped = {searched[number] for number in _numbers(ends, plain_text.positions(text))}
    if not plain_text.is_plain("".join(searched)):
        escaped |= {line for line in searched if not plain_text.is_plain(line)}
    result.whole |= escaped & result.words.keys()
    result.escaped = escaped - result.whole
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


def _by_line(
    lines: Iterable[str], ends: Iterable[int], hits: Iterable[Hit]
) -> Iterator[tuple[str, list[Hit]]]:
    """The lines that have words, each with its words and their bounds in the line."""
    remaining = iter(hits)
    hit = next(remaining, None)
    begin = 0
    for line, end in zip(lines, ends, strict=True):
        if hit is None:
            return
        if hit[1] < end:
            of_line = []
            while hit is not None and hit[1] < end:
                of_line.append((hit[0], hit[1] - begin, hit[2] - begin))
                hit = next(remaining, None)
            yield line, of_line
        begin = end
