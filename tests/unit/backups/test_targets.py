"""The moment of a restore: what can be restored, and from which backup."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from support.release.repository import START, backup, report
from vrooli.backups.info import parse_info
from vrooli.backups.listing import Listing, Range
from vrooli.backups.points import ANNOTATION, Point
from vrooli.backups.targets import at_moment, at_point, parse_moment
from vrooli.backups.timelines import History
from vrooli.errors import UsageError

NOW = datetime(2026, 11, 29, 14, 30, tzinfo=UTC)
BEGIN = datetime.fromtimestamp(START, UTC)
POINT = Point("20261129-140501", BEGIN + timedelta(seconds=120), "vrooli-dev", 7)
SECOND = backup(
    "20261129-094420F_20261129-100000I",
    seconds=100,
    annotation={ANNOTATION: POINT.to_annotation()},
)


def _listing(*bodies: dict[str, Any], repositories: int = 1) -> Listing:
    info = parse_info(report(*bodies, repositories=repositories))
    ranges = tuple(
        Range(number, info.of(number)[0].stopped if info.of(number) else None, NOW)
        for number in range(1, repositories + 1)
    )
    return Listing(cast(Any, None), info, ranges)


HISTORY = History(1)
BOTH = _listing(backup("20261129-094420F"), SECOND)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14:05", datetime(2026, 11, 29, 14, 5, tzinfo=UTC)),
        ("4:05:30", datetime(2026, 11, 29, 4, 5, 30, tzinfo=UTC)),
        ("14:05Z", datetime(2026, 11, 29, 14, 5, tzinfo=UTC)),
        ("2026-11-28 23:00", datetime(2026, 11, 28, 23, tzinfo=UTC)),
        ("2026-11-28T23:00:00.25Z", datetime(2026, 11, 28, 23, 0, 0, 250_000, UTC)),
        ("2026-11-28 23:00:00+02:00", datetime(2026, 11, 28, 21, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_time_of_today_or_iso(text: str, expected: datetime) -> None:
    assert parse_moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "now", "25:00", "14:60", "1405", '14:05"; rm', "2026-13-01"])
def test_other_texts_are_refused_with_the_forms(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_moment(text, NOW)
    assert "2026-11-29 14:05:30" in error.value.advice


def test_a_moment_is_restored_from_the_newest_backup_before_it() -> None:
    moment = BEGIN + timedelta(seconds=50, microseconds=7)
    recovery = at_moment(BOTH, moment, NOW, HISTORY)
    assert recovery.options == (
        "--set=20261129-094420F",
        "--type=time",
        f'--target="{moment:%Y-%m-%d %H:%M:%S}.000007+00"',
    )
    later = at_moment(BOTH, NOW - timedelta(seconds=1), NOW, HISTORY)
    assert later.options[0] == "--set=20261129-094420F_20261129-100000I"


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        (NOW + timedelta(seconds=1), "is in the future"),
        (BEGIN + timedelta(seconds=10), "is before the end of the first backup"),
    ],
)
def test_a_moment_that_cannot_be_had_is_refused_with_the_range(
    moment: datetime, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason) as error:
        at_moment(BOTH, moment, NOW, HISTORY)
    first = BEGIN + timedelta(seconds=11)
    assert f"{first:%Y-%m-%d %H:%M:%S}Z to 2026-11-29 14:30:00Z" in error.value.advice


def test_a_release_without_a_backup_has_no_moment() -> None:
    with pytest.raises(UsageError) as error:
        at_moment(_listing(), NOW, NOW, HISTORY)
    assert "none, there is no backup" in error.value.advice


def test_the_repository_that_has_the_moment_is_used() -> None:
    listed = _listing(
        backup("20261129-100000F", seconds=900),
        backup("20261129-094420F", repository=2),
        repositories=2,
    )
    moment = BEGIN + timedelta(seconds=60)
    assert at_moment(listed, moment, NOW, HISTORY).repository == 2
    with pytest.raises(UsageError):
        at_moment(listed, moment, NOW, HISTORY, 1)


def test_a_point_is_restored_to_its_name_in_the_wal() -> None:
    recovery = at_point(BOTH, POINT.id)
    assert (recovery.moment, recovery.point) == (POINT.time, POINT)
    assert recovery.options[1:] == (
        "--type=name",
        "--target=vrooli-20261129-140501",
        "--target-timeline=current",
    )


def test_a_backup_of_postgresql_only_is_restored_to_its_end() -> None:
    recovery = at_point(BOTH, "20261129-094420F")
    assert recovery.options == ("--set=20261129-094420F", "--type=immediate")


def test_an_unknown_point_is_refused() -> None:
    with pytest.raises(UsageError, match="no point or backup 'x'"):
        at_point(BOTH, "x")


def test_a_backup_of_an_abandoned_timeline_is_not_used_for_a_moment() -> None:
    wal: dict[str, Any] = {"archive": {"stop": "000000010000000000000006"}}
    first = backup("20261129-094420F") | wal | {"lsn": {"stop": "0/4000000"}}
    later = SECOND | wal | {"lsn": {"stop": "0/6000000"}}
    history = History(2, {1: 0x5000000})
    at, now = BEGIN + timedelta(hours=1), BEGIN + timedelta(hours=2)
    recovery = at_moment(_listing(first, later), at, now, history)
    assert recovery.backup.label == "20261129-094420F"
    with pytest.raises(UsageError, match="before the end of the first backup"):
        at_moment(_listing(later), at, now, history)
