"""Who holds a release, and whether it still lives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from vrooli.release.lease import LASTS_S, Holder

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _holder(silent_s: float) -> Holder:
    sign = NOW - timedelta(seconds=silent_s)
    return Holder("bob@host, process 7", sign - timedelta(seconds=60), sign, LASTS_S)


@pytest.mark.parametrize(("silent_s", "stale"), [(0, False), (LASTS_S, False), (LASTS_S + 1, True)])
def test_a_holder_that_gives_no_sign_of_life_is_taken_for_dead(
    silent_s: float, stale: bool
) -> None:
    assert _holder(silent_s).is_stale(NOW) is stale


def test_a_message_says_who_since_when_and_the_last_sign() -> None:
    said = _holder(5).told(NOW)
    assert said == "bob@host, process 7, since 65 s, last sign of life 5 s ago"
