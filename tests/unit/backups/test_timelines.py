"""Which backups are of the live data's own past."""

from __future__ import annotations

import pytest

from vrooli.backups.timelines import History, parse_history, parse_position

# What PostgreSQL writes after a restore of timeline 1 was undone.
FILE = "1\t0/50000A0\tno recovery target specified\n\n2\t1/0\tbefore 2026-11-29 14:05:00+00\n"


def test_a_history_file_has_the_end_of_each_timeline() -> None:
    assert parse_history(FILE) == {1: 0x50000A0, 2: 1 << 32}
    assert parse_history("# comment\n") == {}


@pytest.mark.parametrize(
    ("timeline", "position", "expected"),
    [
        (3, "9/0", True),  # the present one
        (1, "0/50000A0", True),
        (1, "0/50000A1", False),  # after the restored moment
        (4, "0/1", False),  # abandoned by an undo
        (0, "", True),  # not reported
    ],
)
def test_only_what_was_before_a_switch_is_contained(
    timeline: int, position: str, expected: bool
) -> None:
    history = History(3, parse_history(FILE))
    assert history.contains(timeline, parse_position(position)) is expected
