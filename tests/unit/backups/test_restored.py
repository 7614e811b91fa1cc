"""The record of a restore in place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from vrooli.backups.restored import Phase, Restored, format_record, parse

RECORD = Restored(
    "pg-a-0",
    "2026-11-29 14:05:00Z",
    datetime(2026, 11, 29, 14, 5, tzinfo=UTC),
    datetime(2026, 11, 29, 14, 30, 1, 5, tzinfo=UTC),
    Phase.SWITCHED,
)


def test_a_record_is_read_as_it_was_written() -> None:
    assert parse(format_record(RECORD)) == RECORD


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", "null", format_record(RECORD)[:-9]),
        format_record(RECORD).replace("2026-11-29T14:05:00+00:00", "9999-12-31T23:59:59-23:59"),
    ],
)
def test_another_text_is_no_record(text: str) -> None:
    assert parse(text) is None
