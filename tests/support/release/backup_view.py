"""A backup as the commands report it."""

from __future__ import annotations

from datetime import UTC, datetime

from vrooli.workflows.results.backups import BackupView

BACKUP = BackupView(
    id="20261129-140501",
    label="20261129-140458F",
    is_point=True,
    time=datetime(2026, 11, 29, 14, 5, 1, tzinfo=UTC),
    kind="full",
    repository=1,
    size_bytes=1,
    stored_bytes=1,
    redis_bytes=None,
    vault_versions={},
    revision=1,
    version=None,
    remaining_full_backups=None,
    has_errors=False,
)
