"""Measure how fast secrets are masked in 1 MB of hostile and of ordinary text.

    uv run python bench/redaction.py                # the ten slowest texts
    uv run python bench/redaction.py --slowest 60   # all of them
    uv run python bench/redaction.py --compare ../before/src   # with another version

Each text is masked as one line, as one text of lines, and as the lines of a log. The values of 200
Secrets are known. The times are CPU times, each the fastest of three runs with empty caches. The
runs of one text are some seconds apart, so that no cache of names still holds its own, and because
a run takes up to twice as much CPU time while another process uses the same core by its other
hardware thread. The time of a fixed loop shows whether one did. Two versions run alternately in one
process: on a loaded machine only their ratio counts.
"""

from __future__ import annotations

import argparse
import importlib
import math
import statistics
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
ROUNDS = 3
PAIRS = 7
# The texts that are compared.
COMPARED = (
    *("short lines that differ", "blocks that differ", "words at random", "signs at random"),
    *("marks beyond the first plane", "emojis", "words of base64", "colours that do not end"),
    *("escapes", "ordinary lines that differ"),
)
Mask = Callable[[Redactor, str], object]
MODES: dict[str, Mask] = {
    "as one line": lambda redactor, text: redactor.text(text.replace("\n", " ")),
    "as one text": lambda redactor, text: redactor.text(text),
    "as lines": lambda redactor, text: redactor.lines(text.split("\n")),
}


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
    texts = {name: _folded(generate(MEGABYTE)) for name, generate in GENERATORS.items()}
    loops, fastest = [], dict.fromkeys(texts, [math.inf] * len(MODES))
    for _ in range(ROUNDS):
        for name, text in texts.items():
            loops.append(_loop())
            times = [_milliseconds(redactor, mask, text) for mask in MODES.values()]
            fastest[name] = list(map(min, fastest[name], times))
    print(f"A fixed loop: {min(loops):.1f} ms at its fastest, {statistics.median(loops):.1f} ms at")
    print("the median. If these differ much, another process used the same core.\n")
    print(f"| 1 MB of | {', ms | '.join(MODES)}, ms | at most, ms |")
    for name, times in sorted(fastest.items(), key=lambda row: -max(row[1]))[:rows]:
        print(f"| {name} | {' | '.join(f'{value:.0f}' for value in (*times, max(times)))} |")


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
    print("| 1 MB of | masked | before, ms | after, ms | ratio |")
    for name in COMPARED:
        text = _folded(GENERATORS[name](MEGABYTE))
        for mode in ("as one text", "as lines"):
            mask = MODES[mode]
            if mask(before, text) != mask(after, text):
                print(f"{name}, {mode}: the versions mask different parts")
            pairs = [
                (_milliseconds(before, mask, text), _milliseconds(after, mask, text))
                for _ in range(PAIRS)
            ]
            first, second = map(min, zip(*pairs, strict=True))
            ratio = statistics.median(later / earlier for earlier, later in pairs)
            print(f"| {name} | {mode} | {first:.0f} | {second:.0f} | {ratio:.2f} |", flush=True)


def _folded(text: str) -> str:
    """The text with line ends where the kubelet splits lines."""
    return "\n".join(text[at : at + 16_384] for at in range(0, len(text), 16_384))


def _milliseconds(redactor: Redactor, mask: Mask, text: str) -> float:
    """The CPU time of one run."""
    # Short lines that another run masked would only be looked up.
    redactor.forget()
    began = time.process_time()
    mask(redactor, text)
    return (time.process_time() - began) * 1000


def _loop() -> float:
    """The CPU time of a loop that does the same each time, in ms."""
    began = time.process_time()
    sum(number % 7 for number in range(100_000))
    return (time.process_time() - began) * 1000


if __name__ == "__main__":
    main()
