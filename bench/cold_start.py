"""Measure each step from no cluster to a healthy release.

    uv run python bench/cold_start.py                 # with existing caches
    uv run python bench/cold_start.py --empty-caches  # without caches, like a new machine

The benchmark creates a separate cluster and deletes it at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from vrooli import environments
from vrooli.events import Event, StepEnded, StepStarted
from vrooli.workflows.clusters import embedded
from vrooli.workflows.development.develop import develop
from vrooli.workflows.options import DevelopOptions

NAME = "bench-of-vrooli"


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--empty-caches", action="store_true")
    arguments = parser.parse_args()
    if not arguments.empty_caches:
        asyncio.run(_measure())
        return
    with tempfile.TemporaryDirectory(prefix="vrooli-cold-", dir=Path.home()) as caches:
        os.environ["VROOLI_CACHE_DIR"] = caches
        asyncio.run(_measure())


async def _measure() -> None:
    start_time = time.monotonic()
    starts: dict[str, float] = {}
    rows: list[tuple[str, float, float]] = []

    def listen(event: Event) -> None:
        now = time.monotonic() - start_time
        if isinstance(event, StepStarted):
            starts[event.step] = now
        elif isinstance(event, StepEnded) and event.step in starts:
            rows.append((event.step, starts[event.step], event.elapsed_s))
            print(f"{now:7.1f} s  {event.step} {event.outcome} ({event.detail})", file=sys.stderr)

    ports = {"api": 0, "http": 0, "https": 0}
    options = DevelopOptions(
        environments.environment("dev"), cluster=f"embedded:{NAME}", ports=ports
    )
    await embedded.delete(NAME, listen)
    starts.clear()
    rows.clear()
    start_time = time.monotonic()
    try:
        await develop(options, listen)
        first = time.monotonic() - start_time
        table = list(rows)
        second_start = time.monotonic()
        await develop(options, listen)
        second = time.monotonic() - second_start
    finally:
        await embedded.delete(NAME, listen)
    print(f"{os.cpu_count()} cores, {platform.release()}, Python {platform.python_version()}\n")
    print("| step | start, s | duration, s |\n|---|---|---|")
    for step, start, elapsed in sorted(table, key=lambda row: row[1]):
        print(f"| {step} | {start:.1f} | {elapsed:.1f} |")
    print(f"| **total** | 0.0 | {first:.1f} |")
    print(f"| second run, without changes | | {second:.1f} |")


if __name__ == "__main__":
    main()
