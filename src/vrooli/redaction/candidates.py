"""Which lines of a log may have a secret: one search of all lines instead of one of each.

No I/O here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

from vrooli.redaction import entries, plain_text, runs, shapes, tokens
from vrooli.redaction.known import KnownValues
from vrooli.redaction.shapes import Hit

# Longer lines are examined as a whole: limits that grow with a line do not apply to shorter ones.
LONG_LINE = 1_600
# The work at a line, in units of the work at one of its words.
WORK_OF_A_LINE = 2
# What is to examine of a line. Unless the lines before took less work than their words stand for,
# no work is left for a line of the excess; nothing but words is searched in it.
Kind = Literal["whole", "words", "excess"]


@dataclass
class Candidates:
    """The different lines that may have a secret; the others have none.

    Attributes:
        kinds: What is to examine of each.
        words: The words that may mark a secret, by line.
        words_in_plain: The number of those in the plain form of a line, if it has another.
    """

    kinds: dict[str, Kind] = field(default_factory=dict)
    words: dict[str, list[Hit]] = field(default_factory=dict)
    words_in_plain: dict[str, int] = field(default_factory=dict)


def find(lines: Iterable[str], known: KnownValues, work: float) -> Candidates:
    """Search the lines of a log, which may be empty and may repeat.

    Args:
        lines: The lines.
        known: The values of Secrets.
        work: How much can be examined: a line takes ``WORK_OF_A_LINE`` and one for each word.
    """
    found = Candidates()
    different = dict.fromkeys(filter(None, lines))
    searched = [line for line in different if len(line) <= LONG_LINE and "\n" not in line]
    if len(searched) < len(different):
        found.kinds = dict.fromkeys(different.keys() - searched, "whole")
    # Beyond the limit of work, lines are searched for nothing but words.
    rest = _search(searched, known, work, found)
    plain: dict[str, str] = {}
    for line, form in zip(rest, plain_text.plain_lines(rest), strict=True):
        if form != line and line in found.words:
            # Its plain form mostly has the same words.
            found.kinds[line] = "whole"
        elif form != line:
            plain[line] = form
    in_plain = Candidates()
    _search(list(dict.fromkeys(plain.values())), known, math.inf, in_plain)
    for line, form in plain.items():
        if form in in_plain.kinds:
            found.kinds[line] = "whole"
            found.words_in_plain[line] = len(in_plain.words.get(form, ()))
    return found


def _search(
    lines: Sequence[str], known: KnownValues, work: float, found: Candidates
) -> Sequence[str]:
    """Search different lines as they are written, and return those that are not of the excess."""
    joined = _Joined(lines)
    hits = shapes.words(joined.lower)
    _sort(hits, joined, work, found)
    length = len(joined.text)
    if "excess" in found.kinds.values():
        lines = [line for line in lines if found.kinds.get(line) != "excess"]
    if shapes.KEY_BEGIN in joined.lower:
        found.kinds |= dict.fromkeys(joined.lines_at(shapes.keys(hits)), "whole")
    if len(lines) < len(joined.lines):
        joined = _Joined(lines)
    found_runs = runs.secret_runs(joined.text, shapes.contains, length - len(joined.text))
    for positions in (
        known.positions(joined.text),
        entries.positions(joined.text, joined.lower),
        (end - 1 for _, end in tokens.unprefixed(joined.text)),
        (begin for begin, _ in found_runs),
    ):
        found.kinds |= dict.fromkeys(joined.lines_at(positions), "whole")
    return lines


class _Joined:
    """Lines as one text, for searches of all at once."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        # The begin of the next line, for each line.
        self.ends = list(accumulate(len(line) + 1 for line in lines))
        self.text = "\n".join(lines)
        self.lower = shapes.lowered(self.text)

    def lines_at(self, positions: Iterable[int]) -> Iterator[str]:
        """The lines with these positions of the text."""
        number, end = 0, 0
        for position in sorted(positions):
            if position >= end:
                # Often each line has one: a step is faster than a bisection.
                while self.ends[number] <= position:
                    number += 1
                end = self.ends[number]
                yield self.lines[number]


def _sort(hits: Iterable[Hit], joined: _Joined, work: float, found: Candidates) -> None:
    """Sort the words by line, with their bounds in it, and mark lines for which no work is left."""
    lines, ends, kinds = joined.lines, joined.ends, found.kinds
    words: list[Hit] | None = None
    number, begin, end = 0, 0, 0
    for word, start, stop in hits:
        if start >= end:
            while ends[number] <= start:
                number += 1
            line, end = lines[number], ends[number]
            if work > 0:
                kinds[line] = "words"
                found.words[line] = words = []
                begin = end - len(line) - 1
                work -= WORK_OF_A_LINE
            else:
                kinds[line] = "excess"
                words = None
        if words is not None:
            words.append((word, start - begin, stop - begin))
            work -= 1
