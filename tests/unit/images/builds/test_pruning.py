"""Which images stay in the store."""

from __future__ import annotations

from vrooli.images.builds import pruning

DAY_S = pruning.DAY_S
NOW = 100 * DAY_S
UI = "localhost/vrooli/ui"


def test_the_last_contents_of_each_image_stay() -> None:
    used = {f"{UI}:dev-{age}": NOW - age * DAY_S for age in range(1, pruning.MAX_PER_IMAGE + 3)}
    used["localhost/vrooli/server:dev-a"] = NOW - 9 * DAY_S
    gone = {f"{UI}:dev-{age}" for age in (pruning.MAX_PER_IMAGE + 1, pruning.MAX_PER_IMAGE + 2)}
    assert set(pruning.find_expired(used, NOW)) == gone


def test_what_nobody_used_for_long_goes_even_as_the_only_one() -> None:
    used = {f"{UI}:dev-a": NOW - pruning.RETENTION_S - 1, "localhost/vrooli/base:12-b": NOW - 1}
    assert pruning.find_expired(used, NOW) == [f"{UI}:dev-a"]


def test_what_was_used_a_moment_ago_stays_however_many_they_are() -> None:
    used = {f"{UI}:dev-{number}": NOW - number for number in range(3 * pruning.MAX_PER_IMAGE)}
    assert pruning.find_expired(used, NOW) == []
