"""Examines the lines of one log that may have a secret, with a limit of the work.

No I/O here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vrooli.redaction.candidates import WORK_OF_A_LINE, Candidates
from vrooli.redaction.names import MASK
from vrooli.redaction.shapes import Hit

# The work at the lines of a log, in units of 2 to 5 µs: an amount for any log, and more with its
# length. A line that is examined as a whole takes more than the words of another. One with a secret
# counts more, too: a log with very many is shortened before one that only has such words.
_FREE_WORK, _CHARACTERS_PER_WORK, _CHARACTERS_PER_WORD = 6_000, 110, 12
_WORK_OF_A_SECRET, _WORK_OF_A_WHOLE_LINE = 2, 5


def work_limit(lines: Sequence[str]) -> int:
    """How much work the lines of one log may take."""
    return _FREE_WORK + sum(map(len, lines)) // _CHARACTERS_PER_WORK


class Examination:
    """Masks the secrets in lines, each different line once.

    Args:
        candidates: What may be a secret in each line.
        work: The limit of the work; when it is exceeded, lines are masked as a whole.
        mask_text: Masks the secrets in any text.
        mask_words: Masks the secrets in a line that only has words that may mark one.
    """

    def __init__(
        self,
        candidates: Candidates,
        work: int,
        mask_text: Callable[[str], str],
        mask_words: Callable[[str, Sequence[Hit]], str],
    ) -> None:
        self._candidates, self._work = candidates, work
        self._mask_text, self._mask_words = mask_text, mask_words
        self._masked: dict[str, str] = {}

    @property
    def is_over(self) -> bool:
        """Whether the limit of the work is reached."""
        return self._work <= 0

    def examine(self, line: str) -> str:
        """A line, or a part of one, with secrets masked."""
        if line in self._masked or not line:
            return self._masked.get(line, line)
        if self.is_over:
            return MASK
        kind, hits = self._candidates.kinds.get(line), self._candidates.words.get(line, [])
        if kind == "words":
            masked = self._mask_words(line, hits)
            work = len(hits) + WORK_OF_A_LINE + (_WORK_OF_A_SECRET if masked != line else 0)
        else:
            masked = self._mask_text(line)
            if kind == "whole":
                words = len(hits) + self._candidates.words_in_plain.get(line, 0)
            else:  # its words are not known: a part of a line, or a line of the excess
                words = len(line) // _CHARACTERS_PER_WORD
            work = words + _WORK_OF_A_WHOLE_LINE
        self._masked[line] = masked
        self._work -= work
        return masked
