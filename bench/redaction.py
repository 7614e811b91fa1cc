"""Measure how fast secrets are masked in 1 MB of hostile and of ordinary text.

    uv run python bench/redaction.py                # the ten slowest texts
    uv run python bench/redaction.py --slowest 60   # all of them

Each text is masked as one line, as one text of lines, and as the lines of a log. The values of 200
Secrets are known. The times are CPU times, each the fastest of three runs with empty caches.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.secrets.canaries import drawn
from support.secrets.hostile_texts import GENERATORS
from vrooli.redaction import Redactor

MEGABYTE = 1_000_000
# The number of known values: as many as a large namespace has.
VALUES = 200


def main() -> None:
    """Print a table, the slowest text first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slowest", type=int, default=10, help="the number of rows to print")
    rows = parser.parse_args().slowest
    redactor = Redactor([drawn(f"value {number}") for number in range(VALUES)])
    results = [
        (*_times(redactor, generate(MEGABYTE)), name) for name, generate in GENERATORS.items()
    ]
    results.sort(reverse=True)
    print("| 1 MB of | as one line, ms | as one text, ms | as lines, ms | at most, ms |")
    for slowest, line, text, lines, name in results[:rows]:
        print(f"| {name} | {line:.0f} | {text:.0f} | {lines:.0f} | {slowest:.0f} |")


def _times(redactor: Redactor, text: str) -> tuple[float, float, float, float]:
    folded = "\n".join(text[at : at + 16_384] for at in range(0, len(text), 16_384))
    line = _milliseconds(redactor, lambda: redactor.text(text.replace("\n", " ")))
    whole = _milliseconds(redactor, lambda: redactor.text(folded))
    lines = _milliseconds(redactor, lambda: redactor.lines(folded.split("\n")))
    return max(line, whole, lines), line, whole, lines


def _milliseconds(redactor: Redactor, action: Callable[[], object]) -> float:
    """The CPU time of the fastest of three runs."""
    times = []
    for _ in range(3):
        # Short lines that another run masked would only be looked up.
        redactor.forget()
        began = time.process_time()
        action()
        times.append(time.process_time() - began)
    return min(times) * 1000


if __name__ == "__main__":
    main()
