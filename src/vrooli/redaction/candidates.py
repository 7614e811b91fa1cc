"""Which lines of a log may have a secret: one search of all lines instead of one of each.

No I/O here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from vrooli.redaction import entries, plain_text, runs, shapes, tokens
from vrooli.redaction.known import KnownValues
from vrooli.redaction.shapes import Hit

# Longer lines are examined as a whole: limits that grow with a line do not apply to shorter ones.
LONG_LINE = 1_600
# The work at a line, in units of the work at one of its words.
WORK_OF_A_LINE = 2


@dataclass
class Candidates:
    """The different lines that may have a secret; the others have none.

    Attributes:
        whole: Those to examine as a whole, because of more than words.
        escaped: Those whose plain form is to be examined; as written they have no secret.
        words: The words that may mark a secret, by line.
        excess: Further ones with words. Unless the lines before took less work than their words
            stand for, no work is left for these; nothing else is searched in them.
    """

    whole: set[str] = field(default_factory=set)
    escaped: set[str] = field(default_factory=set)
    words: dict[str, Sequence[Hit]] = field(default_factory=dict)
    excess: set[str] = field(default_factory=set)


def find(lines: Iterable[str], known: KnownValues, work: int) -> Candidates:
    """Search the lines of a log, which may be empty and may repeat.

    Args:
        lines: The lines.
        known: The values of Secrets.
        work: How much can be examined: a line takes ``WORK_OF_A_LINE`` and one for each word.
    """
    result = Candidates()
    different = list(dict.fromkeys(filter(None, lines)))
    searched = [line for line in different if len(line) <= LONG_LINE and "\n" not in line]
    if len(searched) < len(different):
        result.whole = set(different).difference(searched)
    if not searched:
        return result
    joined = _Joined(searched)
    hits = shapes.words(joined.lower)
    result.words, result.excess = _by_line(joined, hits, work)
    if shapes.KEY_BEGIN in joined.lower:
        result.whole |= joined.lines_at(shapes.keys(hits))
    length = len(joined.text)
    if result.excess:
        searched = [line for line in searched if line not in result.excess]
        joined = _Joined(searched)
    unsearched = length - len(joined.text)
    found_runs = runs.secret_runs(joined.text, shapes.contains, unsearched)
    for positions in (
        known.positions(joined.text),
        entries.positions(joined.text, joined.lower),
        (end - 1 for _, end in tokens.unprefixed(joined.text)),
        (begin for begin, _ in found_runs),
    ):
        result.whole |= joined.lines_at(positions)
    escaped = joined.lines_at(plain_text.positions(joined.text))
    if not plain_text.is_plain(joined.text):
        escaped |= {line for line in searched if not plain_text.is_plain(line)}
    result.whole |= escaped & result.words.keys()
    result.escaped = escaped - result.whole
    return result


class _Joined:
    """Lines as one text, for searches of all at once."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        # The begin of the next line, for each line.
        self.ends = list(accumulate(len(line) + 1 for line in lines))
        self.text = "\n".join(lines)
        self.lower = shapes.lowered(self.text)

    def lines_at(self, positions: Iterable[int]) -> set[str]:
        """The lines with these positions of the text."""
        lines = []
        number, end = 0, 0
        for position in sorted(positions):
            if position >= end:
                # Often each line has one: a step is faster than a bisection.
                while self.ends[number] <= position:
                    number += 1
                end = self.ends[number]
                lines.append(self.lines[number])
        return set(lines)


def _by_line(
    joined: _Joined, hits: Sequence[Hit], work: int
) -> tuple[dict[str, Sequence[Hit]], set[str]]:
    """The words of each line with their bounds in it, and the lines for which no work is left."""
    words: dict[str, Sequence[Hit]] = {}
    of_line: list[Hit] = []
    begin, end = 0, 0
    for index, (word, start, stop) in enumerate(hits):
        if start >= end:
            if work <= 0:
                return words, joined.lines_at(start for _, start, _ in hits[index:])
            number = bisect_right(joined.ends, start)
            end = joined.ends[number]
            begin = end - len(joined.lines[number]) - 1
            words[joined.lines[number]] = of_line = []
            work -= WORK_OF_A_LINE
        of_line.append((word, start - begin, stop - begin))
        work -= 1
    return words, set()
