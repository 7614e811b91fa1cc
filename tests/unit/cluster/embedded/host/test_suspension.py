"""A machine that was suspended is detected by its clocks."""

from __future__ import annotations

import pytest

from vrooli.cluster.embedded.host.suspension import (
    INTERVAL_S,
    RECOVERY_S,
    SHORTEST_S,
    Suspension,
    SuspensionDetector,
)

# 2026-01-02 03:04:05 UTC.
NOW = 1767323045.0


class Clocks:
    """A calendar's clock and one since the boot, which tests move."""

    def __init__(self) -> None:
        self.wall, self.boot = NOW, 1000.0

    def detector(self) -> SuspensionDetector:
        """A detector that reads these clocks."""
        return SuspensionDetector(lambda: self.wall, lambda: self.boot)

    def advance(self, wall: float, boot: float) -> None:
        """Let time pass."""
        self.wall += wall
        self.boot += boot


@pytest.mark.parametrize(
    ("wall", "boot"),
    [
        (INTERVAL_S + 600, INTERVAL_S + 600),  # suspended
        (INTERVAL_S + 600, INTERVAL_S),  # a virtual machine was paused, then its clock was set
        (INTERVAL_S - 3600, INTERVAL_S + 600),  # suspended, and the clock was set back
    ],
)
def test_a_gap_between_two_readings_is_a_suspension(wall: float, boot: float) -> None:
    clocks = Clocks()
    detector = clocks.detector()
    clocks.advance(wall, boot)
    assert detector.check(INTERVAL_S) == Suspension(ended=NOW + wall, seconds=600)


@pytest.mark.parametrize("late_s", [0.0, 2.0, SHORTEST_S - 1, -3600.0])
def test_a_late_reading_and_a_clock_that_is_set_back_are_none(late_s: float) -> None:
    clocks = Clocks()
    detector = clocks.detector()
    clocks.advance(INTERVAL_S + late_s, INTERVAL_S + max(late_s, 0))
    assert detector.check(INTERVAL_S) is None


def test_a_suspension_is_reported_once() -> None:
    clocks = Clocks()
    detector = clocks.detector()
    clocks.advance(900, 900)
    assert detector.check(INTERVAL_S) is not None
    clocks.advance(INTERVAL_S, INTERVAL_S)
    assert detector.check(INTERVAL_S) is None


def test_the_real_clocks_show_no_suspension() -> None:
    assert SuspensionDetector().check(interval_s=0) is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(61, "61 s"), (600, "10 min"), (5 * 3600 + 120, "5 h 02 min")]
)
def test_its_description_has_length_and_end(seconds: float, words: str) -> None:
    assert Suspension(NOW, seconds).describe().endswith(f"for {words} until 03:04:05 UTC")


def test_it_explains_problems_of_the_next_minutes_only() -> None:
    suspension = Suspension(NOW, 600)
    assert suspension.is_recent(NOW + 1)
    assert not suspension.is_recent(NOW + RECOVERY_S)
    assert not suspension.is_recent(NOW - 10)  # the clock was set back meanwhile
