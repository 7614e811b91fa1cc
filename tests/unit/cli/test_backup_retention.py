"""Until when a backup is kept, as `backup` and `backups` print it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from support.release.backup_view import BACKUP
from vrooli.cli import backups

TIME = datetime(2026, 12, 29, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"remaining_full_backups": 2}, "until 2 more full backups in repository 1"),
        ({"remaining_full_backups": 0}, "until the next backup in repository 1"),
        (
            {"retained_until": TIME, "retention_days": 30},
            "until 2026-12-29 14:05Z or longer",
        ),
        ({"retention_days": 30}, "until 30 days after the next full backup in repository 1"),
        ({}, "until it is deleted"),
    ],
)
def test_the_end_is_a_date_or_a_number_of_backups(fields: dict[str, Any], words: str) -> None:
    assert backups._retention(BACKUP.model_copy(update=fields)) == words
