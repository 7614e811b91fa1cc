"""Measures how long `vrooli` takes to start, beside an empty Python and an empty Typer program.

Usage:

    python bench/start.py [--runs 40] [--root CHECKOUT]

All programs run in turn, so that other work of the machine slows all of them. The ratios are
medians of the pairs of one turn. The bytecode of all modules exists after the first turn, which is
not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

EMPTY, TYPER = "empty Python", "empty Typer program"
PROGRAM = "import typer\napp = typer.Typer()\n@app.command()\ndef main() -> None: pass\napp()"
VROOLI = ("-m", "vrooli")
COMMANDS = {
    EMPTY: ("-c", "pass"),
    TYPER: ("-c", PROGRAM),
    "empty Typer program, --help": ("-c", PROGRAM, "--help"),
    "vrooli --version": (*VROOLI, "--version"),
    "vrooli --help": (*VROOLI, "--help"),
    "vrooli status --help": (*VROOLI, "status", "--help"),
    "vrooli st<TAB>": VROOLI,
    "vrooli logs s<TAB>": VROOLI,
}


def environment(root: Path, name: str) -> dict[str, str]:
    """The environment of a program; Python writes and reads bytecode in it."""
    variables = {key: text for key, text in os.environ.items() if not key.startswith("PYTHON")}
    variables |= {"PYTHONPATH": str(root / "src"), "VROOLI_ROOT": str(root)}
    if name.endswith("<TAB>"):
        line = name.removesuffix("<TAB>")
        variables |= {
            "_VROOLI_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(line.count(" ")),
        }
    return variables


def run(root: Path, name: str) -> tuple[float, float]:
    """The duration and the CPU time of a program, s."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-P", *COMMANDS[name]],
        env=environment(root, name),
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    elapsed_s = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{name} failed with {process.returncode}.")
    return elapsed_s, usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measure, and print a line of JSON for each program."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1])
    parser.add_argument("--runs", type=int, default=40)
    chosen = parser.parse_args()
    turns = [{name: run(chosen.root, name) for name in COMMANDS} for _ in range(chosen.runs + 1)]
    for name in COMMANDS:
        durations, cpu = zip(*(turn[name] for turn in turns[1:]), strict=True)
        ratios = [turn[name][1] / turn[EMPTY][1] for turn in turns[1:]]
        row = {
            "program": name,
            "median_ms": round(1000 * statistics.median(durations)),
            "fastest_ms": round(1000 * min(durations)),
            "cpu_median_ms": round(1000 * statistics.median(cpu)),
            "cpu_ratio_to_empty": round(statistics.median(ratios), 1),
        }
        print(json.dumps(row))
    print(json.dumps({"runs": chosen.runs, "load": round(os.getloadavg()[0], 1)}))


if __name__ == "__main__":
    main()
