"""How long the builds will still take, from how long they took before."""

from __future__ import annotations

import os
import time

from vrooli.events import Progress
from vrooli.images import records
from vrooli.images.catalog import Image

# A build that takes longer than expected still needs about this share of what it took so far.
OVERDUE_SHARE = 0.25


class TimeEstimate:
    """Knows what is still to be built, and adds the time that is left to what is said."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._expected: dict[str, float] = {}
        self._began: dict[str, float] = {}
        # What the finished builds took, and what they were expected to take.
        self._actual_s, self._expected_total_s = 0.0, 0.0

    def expect(self, image: Image) -> None:
        """An image will be built; it will take as long as last time."""
        self._expected[image.name] = records.last_duration(image.name) or image.build_s

    def record_output(self, image: Image, line: str) -> None:
        """An image's build says something."""
        self._began.setdefault(image.name, time.monotonic())
        self._progress.report(f"{image.name}: {line}", self.remaining())

    def done(self, image: Image) -> None:
        """An image is there."""
        expected = self._expected.pop(image.name, 0.0)
        if image.name in self._began:
            self._actual_s += time.monotonic() - self._began[image.name]
            self._expected_total_s += expected

    def remaining(self) -> float:
        """The seconds that are left: of the longest one, or of all over the cores."""
        # A machine that was slower than foreseen so far will be so for the rest.
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
