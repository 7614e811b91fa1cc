"""Ordinary lines of the product's logs stay as they are."""

from __future__ import annotations

from support.secrets.canaries import drawn
from support.secrets.ordinary_lines import ordinary_lines
from vrooli.redaction import Redactor

LINES = 10_000
# The share of lines that may be masked wrongly.
MOST = 0.001


def test_fewer_than_one_in_a_thousand_ordinary_lines_is_masked() -> None:
    redactor = Redactor([drawn(f"value {number}") for number in range(20)])
    lines = list(ordinary_lines(LINES))
    assert len(set(lines)) > LINES // 2
    masked = [
        (line, shown)
        for line, shown in zip(lines, redactor.lines(lines), strict=True)
        if shown != line
    ]
    assert len(masked) < MOST * LINES, masked[:20]
