"""The delays between restarts, of components and of the supervisor itself."""

from __future__ import annotations

from collections.abc import Iterator

# The delay before a restart doubles from the first to the longest, seconds.
FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 30.0
# What has run for this long counts as having recovered, seconds.
RECOVERED_S = 60.0


def backoffs() -> Iterator[float]:
    """The delay before each restart, seconds."""
    pause = FIRST_BACKOFF_S
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_BACKOFF_S)
