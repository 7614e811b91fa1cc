"""Estimates the remaining time of the builds from the durations of earlier builds."""

from __future__ import annotations

import os
import time

from vrooli.events import Progress
from vrooli.images import records
from vrooli.images.catalog import Image

# The remaining time of a build that is overdue, as a fraction of its time so far.
OVERDUE_SHARE = 0.25


class TimeEstimate:
    """Tracks the builds to do, and adds the remaining time to their progress reports."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._expected: dict[str, float] = {}
        self._began: dict[str, float] = {}
        # The actual and the expected durations of the finished builds.
        self._actual_s, self._expected_total_s = 0.0, 0.0

    def expect(self, image: Image) -> None:
        """Add an image to build; the estimate is the duration of its last build."""
        self._expected[image.name] = records.last_duration(image.name) or image.build_s

    def record_output(self, image: Image, line: str) -> None:
        """Report progress of an image's build."""
        self._began.setdefault(image.name, time.monotonic())
        self._progress.report(f"{image.name}: {line}", self.remaining())

    def done(self, image: Image) -> None:
        """Record that an image is finished."""
        expected = self._expected.pop(image.name, 0.0)
        if image.name in self._began:
            self._actual_s += time.monotonic() - self._began[image.name]
            self._expected_total_s += expected

    def remaining(self) -> float:
        """The remaining seconds: of the longest build, or of all builds divided by the cores."""
        # A machine that has been slower than estimated remains so.
        pace = max(self._actual_s / self._expected_total_s, 1.0) if self._expected_total_s else 1.0
        remaining = [
            self._remaining_of(name, expected * pace) for name, expected in self._expected.items()
        ]
        return max(max(remaining, default=0.0), sum(remaining) / (os.cpu_count() or 1))

    def _remaining_of(self, name: str, expected: float) -> float:
        if name not in self._began:
            return expected
        elapsed = time.monotonic() - self._began[name]
        return max(expected - elapsed, elapsed * OVERDUE_SHARE)
