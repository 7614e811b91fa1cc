"""What a drill demands: limits, verdicts, and outages of the writers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from vrooli.drills.model import (
    Injection,
    Limits,
    Measured,
    Outage,
    RequestedLimits,
    Requests,
    nothing,
)
from vrooli.drills.writer import Written, between


async def _never() -> bool:
    return False


def _injection(*, is_alone: bool = False) -> Injection:
    return Injection(("Pod/a",), ("a",), nothing, _never, is_alone=is_alone)


MEASURED = Measured(
    12.0,
    requests=Requests(100, failed_reads=0, failed_writes=3),
    outages={"postgres": Outage(2, 5.0), "redis": Outage(0, 0.1)},
    lost={"postgres": 0, "redis": 0, "posts": 0},
)


def test_a_fault_within_its_limits_passes() -> None:
    assert MEASURED.problems(Limits()) == ()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"lost": {"postgres": 0, "redis": 2}}, "2 acknowledged writes of redis lost"),
        (
            {"healed_s": None, "waiting": "no primary"},
            "not heal alone within 240 s: no primary",
        ),
        ({"outages": {"postgres": Outage(2, 5.1)}}, "PostgreSQL took no write for 5.1 s"),
        ({"outages": {"redis": Outage(2, 11.0)}}, "Redis took no write for 11.0 s"),
        ({"requests": Requests(9, failed_reads=1)}, "1 request that only read failed"),
    ],
)
def test_each_exceeded_limit_is_named(changes: dict[str, Any], problem: str) -> None:
    (found,) = replace(MEASURED, **changes).problems(Limits())
    assert problem in found


def test_a_drill_without_load_is_judged_by_its_healing_only() -> None:
    assert Measured(3.0).problems(Limits()) == ()
    assert len(Measured(None).problems(Limits())) == 1


def test_limits_are_more_lenient_where_nothing_else_does_the_work() -> None:
    assert RequestedLimits().of(_injection()) == Limits(240.0, 5.0, 10.0, 0)
    assert RequestedLimits().of(_injection(is_alone=True)) == Limits(240.0, 60.0, 60.0, None)


def test_writes_pause_longer_where_the_lease_of_the_primary_must_end() -> None:
    frozen = replace(_injection(), unnoticed_s=20)
    assert RequestedLimits().of(frozen) == Limits(240.0, 25.0, 10.0, None)


def test_requested_limits_replace_the_defaults() -> None:
    requested = RequestedLimits(30.0, 1.0, 2.0, 7)
    for is_alone in (False, True):
        assert requested.of(_injection(is_alone=is_alone)) == Limits(30.0, 1.0, 2.0, 7)


def _written(*moments: tuple[float, str]) -> list[Written]:
    return [Written("postgres", at, error) for at, error in moments]


def test_an_outage_is_the_longest_time_between_two_acknowledged_writes() -> None:
    written = _written((1.0, ""), (2.0, ""), (3.0, "gone"), (6.5, ""), (7.0, ""))
    assert between(written, "postgres", 2.5, 7.0) == Outage(1, 4.5)


def test_an_outage_before_the_fault_does_not_count() -> None:
    written = _written((1.0, ""), (9.0, ""), (9.1, ""), (9.2, ""))
    assert between(written, "postgres", 9.05, 9.2) == Outage(0, 0.1)


def test_writes_that_are_not_acknowledged_any_more_are_an_outage() -> None:
    written = _written((1.0, ""), (2.0, "gone"))
    assert between(written, "postgres", 1.5, 8.0) == Outage(1, 7.0)
    assert between([], "postgres", 1.0, 8.0) == Outage(0, 7.0)
