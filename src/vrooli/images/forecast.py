"""How long the builds will still take, from how long they took before."""

from __future__ import annotations

import os
import time

from vrooli.events import Progress
from vrooli.images import records
from vrooli.images.catalog import Image


class Forecast:
    """Knows what is still to be built, and adds the time that is left to what is said."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._expected: dict[str, float] = {}
        self._began: dict[str, float] = {}

    def expect(self, image: Image) -> None:
        """An image will be built; it will take as long as last time."""
        record = records.read(image.reference)
        self._expected[image.name] = record.seconds if record else image.build_s

    def tell(self, image: Image, line: str) -> None:
        """An image's build says something."""
        self._began.setdefault(image.name, time.monotonic())
        self._progress.say(f"{image.name}: {line}", self.remaining())

    def done(self, image: Image) -> None:
        """An image is there."""
        self._expected.pop(image.name, None)

    def remaining(self) -> float:
        """The seconds that are left: of the longest one, or of all over the cores."""
        now = time.monotonic()
        left = [
            max(expected - (now - self._began.get(name, now)), 1.0)
            for name, expected in self._expected.items()
        ]
        return max(max(left, default=0.0), sum(left) / (os.cpu_count() or 1))
