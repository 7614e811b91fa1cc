"""Measures `vrooli develop` after a changed line of the server, on a running release.

Usage: after `vrooli develop`,

    python bench/develop_edit.py [--cluster embedded:vrooli] [--runs 3] [--root CHECKOUT]

Each run changes one text of the server, runs `vrooli develop` of the checkout, and asks the server
through the Ingress. A first run without measurement builds what the checkout needs. The file is
restored at the end; the next `vrooli develop` deploys it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

SOURCE = "services/server/vrooli_server/health.py"
BEFORE, AFTER = '"service": "server"', '"service": "server-{}"'
LIMIT_S = 600
# What the medians are of.
FIGURES = ("total_s", "cpu_s")


def develop(root: Path, cluster: str) -> tuple[float, float, list[dict[str, Any]]]:
    """The duration of a run, its CPU time with that of its programs, and its output."""
    command = [sys.executable, "-P", "-m", "vrooli", "develop", "--output", "json"]
    environment = {**os.environ, "VROOLI_ROOT": str(root), "PYTHONPATH": str(root / "src")}
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*command, "--cluster", cluster],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
        timeout=LIMIT_S,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, cpu_s, [json.loads(line) for line in done.stdout.splitlines()]


def measure(root: Path, cluster: str, number: int) -> dict[str, object]:
    """One run, and whether the server runs its line when the command has ended."""
    source = root / SOURCE
    text = source.read_text()
    if text.count(BEFORE) != 1:
        raise SystemExit(f"{source} doesn't contain {BEFORE} once.")
    name = f"{number}-{time.time_ns()}"
    try:
        source.write_text(text.replace(BEFORE, AFTER.format(name)))
        total_s, cpu_s, lines = develop(root, cluster)
    finally:
        source.write_text(text)
    url = f"{lines[-1]['result']['urls']['ui'].rstrip('/')}/api/health"
    answer = httpx.get(url, headers={"X-Probe": "liveness"}, timeout=10).text
    steps = {
        line["step"]: round(line["elapsed_s"], 1) for line in lines if line["type"] == "step-ended"
    }
    return {
        "total_s": round(total_s, 1),
        "cpu_s": round(cpu_s, 1),
        "answers": name in answer,
        "load": round(os.getloadavg()[0], 1),
        "steps": {step: elapsed_s for step, elapsed_s in steps.items() if elapsed_s},
    }


def main() -> None:
    """Measure, and print a line of JSON for each run and their medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1])
    parser.add_argument("--cluster", default="embedded")
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    develop(chosen.root, chosen.cluster)
    rows = [measure(chosen.root, chosen.cluster, number) for number in range(chosen.runs)]
    for row in rows:
        print(json.dumps(row), flush=True)
    medians = {key: statistics.median(float(str(row[key])) for row in rows) for key in FIGURES}
    print(json.dumps({"median": medians}))


if __name__ == "__main__":
    main()
