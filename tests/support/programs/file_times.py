"""The times of files, which the kernel sets by a clock that ticks every few milliseconds."""

from __future__ import annotations

import time
from pathlib import Path


def await_tick(folder: Path) -> None:
    """Wait until what changes in a folder gets a later time than all that changed before."""
    probe = folder / "tick"
    probe.touch()
    before = probe.stat().st_ctime_ns
    while probe.stat().st_ctime_ns == before:
        time.sleep(0.001)
        probe.touch()
    probe.unlink()
