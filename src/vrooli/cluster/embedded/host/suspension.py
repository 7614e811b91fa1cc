"""Detects that this machine was suspended, or that its clock was set forward.

Afterwards, leases and tokens of the cluster have expired, and nodes and pods are reported as not
ready until the components have renewed them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from vrooli.files import write_atomically

# The interval between two readings of the clocks, seconds.
INTERVAL_S = 5.0
# A gap that no busy machine causes, and that is shorter than the node controller waits for a
# heartbeat before it reports a node as not ready (node-monitor-grace-period, 50 s), seconds.
SHORTEST_S = 30.0
# For so long after a suspension, problems can be its consequences, seconds: the period after which
# pods of a node without heartbeats are evicted (the default toleration).
RECOVERY_S = 300.0
MACHINE = "this machine was suspended, or its clock was set forward,"
CLUSTER = "this cluster was paused"


@dataclass(frozen=True)
class Suspension:
    """A period in which nothing ran.

    Attributes:
        ended: When it ended, seconds since the epoch.
        seconds: How long it was.
        cause: What happened, in words that ``for`` and its length can follow.
    """

    ended: float
    seconds: float
    cause: str = MACHINE

    def is_recent(self, now: float) -> bool:
        """Whether problems at a time can be consequences of it."""
        return 0 <= now - self.ended < RECOVERY_S

    def describe(self) -> str:
        """What happened, in words."""
        end = datetime.fromtimestamp(self.ended, UTC)
        return f"{self.cause} for {_format(self.seconds)} until {end:%H:%M:%S} UTC"


@dataclass(frozen=True)
class Pause:
    """The last pause of a cluster.

    Attributes:
        since: When it began, seconds since the epoch.
    """

    since: float

    def caused(self, gap: Suspension) -> bool:
        """Whether a gap of the clocks is this pause; the last reading before it is older."""
        began = gap.ended - gap.seconds
        return began - INTERVAL_S <= self.since <= gap.ended

    def describe(self) -> str:
        """Since when, in words."""
        return f"paused since {datetime.fromtimestamp(self.since, UTC):%Y-%m-%d %H:%M:%S} UTC"

    def write(self, path: Path) -> None:
        """Write it atomically."""
        write_atomically(path, json.dumps(asdict(self)) + "\n")

    @classmethod
    def read(cls, path: Path) -> Pause | None:
        """The last pause; None if there is none or it cannot be parsed."""
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            return None


def attributed(gap: Suspension, path: Path) -> Suspension:
    """A gap with its cause, given the file of the last pause."""
    paused = Pause.read(path)
    is_pause = paused is not None and paused.caused(gap)
    return replace(gap, cause=CLUSTER) if is_pause else gap


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
