"""The record of a point, which others can write."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from support.release.repository import backup, report
from vrooli.backups.info import StoredBackup, parse_info
from vrooli.backups.points import ANNOTATION, Point, RedisDump, find_backup, parse_point, point_id

TIME = datetime(2026, 11, 29, 14, 5, 1, 250_000, UTC)
POINT = Point(
    "20261129-140501", TIME, "vrooli-dev", 7, "1.2.3", RedisDump(9, "ab", 1, 3), {"secret/a": 4}
)


def _stored(annotation: str | None) -> StoredBackup:
    body = backup("20261129-094420F")
    if annotation is not None:
        body["annotation"] = {ANNOTATION: annotation}
    return parse_info(report(body)).backups[0]


def test_a_record_is_read_as_it_was_written() -> None:
    assert parse_point(_stored(POINT.to_annotation())) == POINT


def test_the_name_of_a_point_is_its_time() -> None:
    assert point_id(TIME) == POINT.id
    assert POINT.restore_point == "vrooli-20261129-140501"


@pytest.mark.parametrize(
    "annotation",
    [
        *(None, "", "x", "[]", "7", "{}", '{"id": 1}', "[" * 100_000),
        *(POINT.to_annotation().replace("7,", other) for other in ('"x",', "1e999,")),
    ],
)
def test_an_invalid_record_is_no_point(annotation: str | None) -> None:
    assert parse_point(_stored(annotation)) is None


def test_a_backup_is_found_by_the_id_of_its_point_and_by_its_label() -> None:
    annotation = {ANNOTATION: POINT.to_annotation()}
    stored = backup("20261129-094420F", seconds=9, annotation=annotation)
    info = parse_info(report(backup("20261128-000000F"), stored))
    assert find_backup(info, POINT.id) == (info.backups[1], POINT)
    assert find_backup(info, "20261129-094420F") == (info.backups[1], POINT)
    assert find_backup(info, "20261128-000000F") == (info.backups[0], None)
    assert find_backup(info, "x") is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "x;reboot"),
        ("id", "20261129-140501\n"),
        ("id", "../../etc/passwd"),
        ("time", "2026-11-29T14:05:01"),
        ("redis", {"size": "9", "sha256": "ab", "parts": 1, "keys": 3}),
        ("redis", {"size": 9, "sha256": 7, "parts": 1, "keys": 3}),
        ("redis", {"size": 9, "sha256": "ab", "parts": -1, "keys": 3}),
        ("redis", {"size": 9, "sha256": "ab", "parts": True, "keys": 3}),
        ("redis", {"size": 9, "sha256": "ab", "parts": 1, "keys": 3, "more": 1}),
    ],
)
def test_a_record_with_a_name_or_dump_that_vrooli_does_not_write_is_no_point(
    field: str, value: object
) -> None:
    record = json.loads(POINT.to_annotation()) | {field: value}
    assert parse_point(_stored(json.dumps(record))) is None
