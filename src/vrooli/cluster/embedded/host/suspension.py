"""Detects that this machine was suspended, or that its clock was set forward.

Afterwards, leases and tokens of the cluster have expired, and nodes and pods are reported as not
ready until the components have renewed them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

# The interval between two readings of the clocks, seconds.
INTERVAL_S = 5.0
# A gap that no busy machine causes, and that is shorter than the node controller waits for a
# heartbeat before it reports a node as not ready (node-monitor-grace-period, 50 s), seconds.
SHORTEST_S = 30.0
# For so long after a suspension, problems can be its consequences, seconds: the period after which
# pods of a node without heartbeats are evicted (the default toleration).
RECOVERY_S = 300.0


@dataclass(frozen=True)
class Suspension:
    """A period in which nothing ran.

    Attributes:
        ended: When it ended, seconds since the epoch.
        seconds: How long it was.
    """

    ended: float
    seconds: float

    def is_recent(self, now: float) -> bool:
        """Whether problems at a time can be consequences of it."""
        return 0 <= now - self.ended < RECOVERY_S

    def describe(self) -> str:
        """What happened, in words."""
        end = datetime.fromtimestamp(self.ended, UTC)
        return (
            f"this machine was suspended, or its clock was set forward, for {_format(self.seconds)}"
            f" until {end:%H:%M:%S} UTC"
        )


class SuspensionDetector:
    """Compares the time that has passed with the interval between two readings."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        boot: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
    ) -> None:
        """Read the clocks for the first time.

        Args:
            wall: The clock of the calendar, seconds. A virtual machine that was paused sets it.
            boot: The clock since the boot, seconds, which counts the time of a suspended machine.
        """
        self._clocks = (wall, boot)
        self._last = self._read()

    def check(self, interval_s: float) -> Suspension | None:
        """Read the clocks again after an interval; the suspension within it, if there was one."""
        now = self._read()
        gap = max(new - old for new, old in zip(now, self._last, strict=True)) - interval_s
        self._last = now
        return Suspension(now[0], gap) if gap >= SHORTEST_S else None

    def _read(self) -> tuple[float, ...]:
        return tuple(clock() for clock in self._clocks)


def _format(seconds: float) -> str:
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    if hours:
        return f"{hours} h {rest:02d} min"
    return f"{minutes} min" if minutes >= 2 else f"{seconds:.0f} s"  # noqa: PLR2004 - then minutes are exact enough
