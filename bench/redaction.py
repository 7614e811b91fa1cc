"""Measure how fast secrets are masked in 1 MB of hostile and of ordinary text.

    uv run python bench/redaction.py                # the ten slowest texts
    uv run python bench/redaction.py --slowest 60   # all of them
    uv run python bench/redaction.py --compare ../before/src   # as lines, with another version

Each text is masked as one line, as one text of lines, and as the lines of a log. The values of 200
Secrets are known. The times are CPU times, each the fastest of three runs with empty caches. Two
versions run alternately in one process, 25 times each: on a loaded machine only their ratio counts.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.secrets.canaries import drawn
from support.secrets.hostile_texts import GENERATORS
from vrooli.redaction import Redactor

MEGABYTE = 1_000_000
# The number of known values: as many as a large namespace has.
VALUES = 200
PAIRS = 25
# The texts whose lines are compared.
COMPARED = (
    *("short lines that differ", "blocks that differ", "words at random", "signs at random"),
    "ordinary lines that differ",
)


def main() -> None:
    """Print a table, the slowest text first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slowest", type=int, default=10, help="the number of rows to print")
    parser.add_argument("--compare", type=Path, help="the sources of another version")
    arguments = parser.parse_args()
    rows, values = arguments.slowest, [drawn(f"value {number}") for number in range(VALUES)]
    redactor = Redactor(values)
    if arguments.compare:
        _compare(_redactor_class(arguments.compare)(values), redactor)
        return
    results = [
        (*_times(redactor, generate(MEGABYTE)), name) for name, generate in GENERATORS.items()
    ]
    results.sort(reverse=True)
    print("| 1 MB of | as one line, ms | as one text, ms | as lines, ms | at most, ms |")
    for slowest, line, text, lines, name in results[:rows]:
        print(f"| {name} | {line:.0f} | {text:.0f} | {lines:.0f} | {slowest:.0f} |")


def _redactor_class(sources: Path) -> type[Redactor]:
    """The class of another version, whose modules stay apart from those of this one."""
    if not (sources / "vrooli").is_dir():
        raise SystemExit(f"{sources} has no package vrooli: pass the folder src of a checkout")
    own = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "vrooli"}
    for name in own:
        del sys.modules[name]
    sys.path.insert(0, str(sources))
    other: type[Redactor] = importlib.import_module("vrooli.redaction").Redactor
    sys.path.remove(str(sources))
    sys.modules.update(own)
    return other


def _compare(before: Redactor, after: Redactor) -> None:
    """Print the times of both versions, and the median of the ratios of the pairs."""
    print("| 1 MB of | before, ms | after, ms | ratio | lines that differ |")
    for name in COMPARED:
        lines = _folded(GENERATORS[name](MEGABYTE)).split("\n")
        pairs = [_pair(before, after, lines) for _ in range(PAIRS)]
        first, second = (statistics.median(times) * 1000 for times in zip(*pairs, strict=True))
        ratio = statistics.median(pair[1] / pair[0] for pair in pairs)
        differ = sum(map(str.__ne__, before.lines(lines), after.lines(lines)))
        print(f"| {name} | {first:.0f} | {second:.0f} | {ratio:.2f} | {differ} |", flush=True)


def _pair(before: Redactor, after: Redactor, lines: Sequence[str]) -> tuple[float, float]:
    """The CPU times of one run of each version."""
    return _seconds(before, lambda r: r.lines(lines)), _seconds(after, lambda r: r.lines(lines))


def _folded(text: str) -> str:
    """The text with line ends where the kubelet splits lines."""
    return "\n".join(text[at : at + 16_384] for at in range(0, len(text), 16_384))


def _times(redactor: Redactor, text: str) -> tuple[float, float, float, float]:
    folded = _folded(text)
    line = _milliseconds(redactor, lambda r: r.text(text.replace("\n", " ")))
    whole = _milliseconds(redactor, lambda r: r.text(folded))
    lines = _milliseconds(redactor, lambda r: r.lines(folded.split("\n")))
    return max(line, whole, lines), line, whole, lines


def _milliseconds(redactor: Redactor, action: Callable[[Redactor], object]) -> float:
    """The CPU time of the fastest of three runs."""
    return min(_seconds(redactor, action) for _ in range(3)) * 1000


def _seconds(redactor: Redactor, action: Callable[[Redactor], object]) -> float:
    """The CPU time of one run."""
    # Short lines that another run masked would only be looked up.
    redactor.forget()
    began = time.process_time()
    action(redactor)
    return time.process_time() - began


if __name__ == "__main__":
    main()
