"""The results of backup, backups and restore. No I/O here."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from vrooli.workflows.results.base import Model, Result, StepsResult


class BackupView(Model):
    """A backup in a repository: a point of the platform, or one of PostgreSQL only."""

    id: str = Field(description="the ID of the point, or pgBackRest's label of the backup")
    label: str = Field(description="pgBackRest's label of the backup")
    is_point: bool = Field(description="whether Redis, Vault and the release were recorded with it")
    time: datetime = Field(description="the moment that it restores, UTC")
    kind: str = Field(description="full, diff or incr")
    repository: int = Field(description="the number of the repository: 1 is the backup volume")
    size_bytes: int = Field(description="the size of PostgreSQL's data, in bytes")
    stored_bytes: int = Field(
        description="what it takes in the repository, with the backups that it needs, in bytes"
    )
    redis_bytes: int | None = Field(description="the size of Redis' dump, in bytes; null if none")
    vault_versions: dict[str, int] = Field(
        description="the version of each secret in Vault, by mount and path"
    )
    revision: int | None = Field(description="the revision of the release; null if not recorded")
    version: str | None = Field(description="the version of the artifact; null if not recorded")
    remaining_full_backups: int | None = Field(
        description="how many more full backups complete before it expires; null if they are not "
        "counted"
    )
    retained_until: datetime | None = Field(
        default=None,
        description="when it can expire at the earliest, UTC, with a retention in days; null "
        "if there is no newer full backup, and with a retention by number",
    )
    retention_days: int | None = Field(
        default=None,
        description="how old the next full backup is before it expires, in days; null with a "
        "retention by number. With neither, it never expires",
    )
    has_errors: bool = Field(description="whether pages with wrong checksums were found in it")


class RangeView(Model):
    """The moments to which a repository can restore PostgreSQL."""

    repository: int = Field(description="the number of the repository")
    since: datetime | None = Field(
        description="the end of the first backup, UTC; null if there is no backup"
    )
    until: datetime | None = Field(
        description="when WAL was archived last, UTC; null if unknown. A later moment up to now "
        "can be restored while PostgreSQL runs"
    )
    problem: str = Field(description="why the repository cannot be used, or empty")
    advice: str = Field(description="what to do about the problem, or empty")
    encrypted: bool = Field(description="whether the repository is encrypted")
    full_schedule: str = Field(
        description="the cron schedule of full backups, after which older ones expire, or empty"
    )


class BackupsResult(Result):
    """The backups of a release, and the moments that can be restored."""

    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="its namespace")
    cluster: str = Field(description="the name of the PostgresCluster")
    is_running: bool = Field(description="whether a backup is running")
    ranges: tuple[RangeView, ...] = Field(description="the moments of each repository")
    backups: tuple[BackupView, ...] = Field(description="the backups, oldest first")


class BackupResult(StepsResult):
    """A completed backup."""

    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="its namespace")
    backup: BackupView = Field(description="the new point")
    notes: tuple[str, ...] = Field(description="what it does not contain, and why")
    restore_command: str = Field(description="a command that restores a copy of the point")


class TableView(Model):
    """The rows of a table in a restored copy and in the live data."""

    table: str = Field(description="database, schema and table")
    restored_rows: int | None = Field(description="rows in the copy; null if it has no such table")
    live_rows: int | None = Field(description="rows now; null if there is no such table any more")


class RestoreResult(StepsResult):
    """A restored copy of PostgreSQL."""

    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="the namespace of the copy")
    cluster: str = Field(description="the name of the copy's PostgresCluster")
    moment: datetime | None = Field(
        description="the moment of the copy, UTC; null for the last transaction in the archived "
        "WAL of a PostgreSQL that does not answer"
    )
    point: str | None = Field(description="the ID of its point; null for a moment between points")
    tables: tuple[TableView, ...] = Field(description="the rows of each table")
    differences: tuple[str, ...] = Field(
        description="tables, extensions and users that differ from those of the release now"
    )


class PostgresRestoreResult(StepsResult):
    """PostgreSQL was restored in place; the data of before are kept."""

    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="its namespace")
    cluster: str = Field(description="the name of its PostgresCluster")
    moment: datetime = Field(description="the moment of the restored data, UTC")
    point: str | None = Field(description="the ID of its point; null for a moment between points")
    tables: tuple[TableView, ...] = Field(
        description="the rows of each table before the switch: live_rows are those of before"
    )
    differences: tuple[str, ...] = Field(
        description="what else differed: tables, extensions, users, the revision of the release"
    )
    returned_roles: tuple[str, ...] = Field(
        description="roles that were dropped since the moment and exist again, without login"
    )
    pause_s: float = Field(description="how long no write was acknowledged, in seconds")
    finish_command: str = Field(description="a command that deletes the data of before")
    undo_command: str = Field(description="a command that brings the data of before back")


class PostgresRestoreEndResult(StepsResult):
    """A restore of PostgreSQL was finished or undone."""

    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="its namespace")
    is_undone: bool = Field(description="whether the data of before are live again")
    moment: datetime | None = Field(description="the moment of the restored data, UTC")
    pause_s: float = Field(
        description="how long no write was acknowledged, in seconds; 0 without a switch"
    )
    aside: str = Field(
        description="the folder in the pod with data that Patroni had created after a crash in the "
        "exchange; empty without"
    )


class RedisRestoreResult(StepsResult):
    """The data of Redis was replaced with that of a point."""

    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="its namespace")
    point: str = Field(description="the ID of the point")
    keys: int = Field(description="the keys of Redis now; those that have expired are gone")
    pause_s: float = Field(description="how long Redis refused writes, in seconds")
    previous_point: str = Field(description="the ID of the point that was made before")
    undo_command: str = Field(description="a command that brings the previous data back")


class SecretRestoreView(Model):
    """A secret in Vault and the version whose content was written again; no value is shown."""

    path: str = Field(description="mount and path in Vault")
    restored_version: int = Field(description="the version whose content was written again")
    previous_version: int = Field(description="the current version before")
    version: int = Field(
        description="the current version now; that of before if the values were equal"
    )
    changed_keys: tuple[str, ...] = Field(description="the keys that got another value")
    added_keys: tuple[str, ...] = Field(description="the keys that only the restored version has")
    removed_keys: tuple[str, ...] = Field(description="the keys that only that of before has")
    kept_keys: tuple[str, ...] = Field(
        description="the keys that the restored version lacks and the release requires, which "
        "keep their values"
    )
    pods: tuple[str, ...] = Field(description="the pods that use the values")
    proof: str = Field(description="what was proven of the database, or empty")


class VaultRestoreResult(StepsResult):
    """Earlier versions of secrets in Vault were written again as new versions."""

    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="its namespace")
    point: str | None = Field(description="the ID of the point; null if versions were named")
    secrets: tuple[SecretRestoreView, ...] = Field(description="the secrets, by path")
    notes: tuple[str, ...] = Field(description="the secrets that stay as they are, and why")
    undo_command: str = Field(
        description="a command that writes the values of before again; empty if nothing was written"
    )


class PointRestoreResult(StepsResult):
    """PostgreSQL, Redis and the secrets in Vault were restored to a point."""

    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="its namespace")
    point: str = Field(description="the ID of the point")
    postgres: PostgresRestoreResult = Field(description="the restore of PostgreSQL")
    redis: RedisRestoreResult | None = Field(
        description="the restore of Redis; null if the point has no dump"
    )
    vault: VaultRestoreResult | None = Field(
        description="the restore of the secrets; null if the point has no versions"
    )
    notes: tuple[str, ...] = Field(description="the parts that the point does not have")
