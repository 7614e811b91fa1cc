"""What pgBackRest reports about a repository. No I/O here.

https://pgbackrest.org/command.html#command-info
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from vrooli.backups import problems, timelines
from vrooli.backups.problems import Problem
from vrooli.kube.objects import items, mapping, number, text

# The stanza of each PostgresCluster (PGO: internal/pgbackrest/config.go).
STANZA = "db"
FULL, DIFFERENTIAL, INCREMENTAL = "full", "diff", "incr"
# The name of a backup, which is part of options that PGO runs in a shell.
_LABEL = re.compile(r"[0-9]{8}-[0-9]{6}F(_[0-9]{8}-[0-9]{6}[DI])?")


@dataclass(frozen=True)
class StoredBackup:
    """A backup in a repository.

    Attributes:
        label: pgBackRest's name of it.
        kind: full, diff or incr.
        repository: The number of the repository.
        started: When it started, UTC.
        stopped: When it stopped, UTC; it cannot be restored to an earlier moment.
        size: The size of the database, bytes.
        stored: The bytes that it and the backups that it needs take in the repository.
        database: pgBackRest's number of the database, which changes with its major version.
        has_errors: Whether pages with wrong checksums were found.
        annotations: What was written on it.
        timeline: The timeline at its end; 0 if unknown.
        end: The position in the WAL at its end; 0 if unknown.
    """

    label: str
    kind: str
    repository: int
    started: datetime
    stopped: datetime
    size: int
    stored: int
    database: int = 1
    has_errors: bool = False
    annotations: Mapping[str, str] = field(default_factory=dict)
    timeline: int = 0
    end: int = 0

    @property
    def full_label(self) -> str:
        """The label of the full backup that it is based on, or its own."""
        return self.label.partition("_")[0]


@dataclass(frozen=True)
class RepositoryState:
    """The state of a repository.

    Attributes:
        number: Its number, 1 for repo1.
        problem: Why it cannot be used; None if it can.
        encrypted: Whether the release has a passphrase for it.
        system: The system identifier of the PostgreSQL whose backups it has; empty if unknown.
        is_foreign: Whether that is not the PostgreSQL of the release.
    """

    number: int
    problem: Problem | None = None
    encrypted: bool = False
    system: str = ""
    is_foreign: bool = False


@dataclass(frozen=True)
class Info:
    """The repositories and the backups of a cluster, oldest first."""

    repositories: tuple[RepositoryState, ...] = ()
    backups: tuple[StoredBackup, ...] = ()
    is_locked: bool = False

    def of(self, repository: int) -> tuple[StoredBackup, ...]:
        """The backups in one repository, oldest first."""
        return tuple(item for item in self.backups if item.repository == repository)


# pgBackRest's codes of a repository without a stanza, and without backups.
_MISSING_STANZA, _NO_BACKUPS = 1, 2


def parse_info(output: str) -> Info:
    """Parse the output of ``pgbackrest info --output=json``.

    Raises:
        ValueError: It is not JSON of that command.
    """
    # With a wrong passphrase, pgBackRest quotes random bytes, control characters included.
    report = json.loads(output, strict=False)
    stanzas = [item for item in report if item.get("name") == STANZA]
    if not stanzas:
        return Info()
    (stanza,) = stanzas
    databases = items(stanza, "db")
    return Info(
        tuple(_repository(item, databases) for item in items(stanza, "repo")),
        tuple(sorted(_backups(items(stanza, "backup")), key=lambda item: item.stopped)),
        bool(mapping(stanza, "status", "lock", "backup").get("held")),
    )


def _repository(body: Mapping[str, Any], databases: Iterable[Mapping[str, Any]]) -> RepositoryState:
    key, code = number(body, "key"), number(body, "status", "code")
    encrypted, message = text(body, "cipher") != "none", text(body, "status", "message")
    problem = None
    if code not in (0, _NO_BACKUPS):
        problem = problems.reported(key, message, encrypted=encrypted)
    return RepositoryState(key, problem, encrypted, _system(key, databases))


def _system(repository: int, databases: Iterable[Mapping[str, Any]]) -> str:
    """The system identifier of the newest database of a repository."""
    own = [item for item in databases if number(item, "repo-key") == repository]
    newest = max(own, key=lambda item: number(item, "id"), default={})
    return str(number(newest, "system-id") or "")


def _backups(bodies: Iterable[Mapping[str, Any]]) -> Iterable[StoredBackup]:
    for body in bodies:
        if not _LABEL.fullmatch(text(body, "label")):
            continue
        yield StoredBackup(
            label=text(body, "label"),
            kind=text(body, "type"),
            repository=number(body, "database", "repo-key"),
            started=_time(number(body, "timestamp", "start")),
            stopped=_time(number(body, "timestamp", "stop")),
            size=number(body, "info", "size"),
            stored=number(body, "info", "repository", "size"),
            database=number(body, "database", "id"),
            has_errors=bool(body.get("error")),
            annotations=dict(mapping(body, "annotation")),
            timeline=int(text(body, "archive", "stop")[:8] or "0", 16),
            end=timelines.parse_position(text(body, "lsn", "stop")),
        )


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True)
class Retention:
    """How long a repository retains its backups.

    Attributes:
        full: The number of full backups, or of days (repoN-retention-full).
        is_in_days: Which of both (repoN-retention-full-type).
    """

    full: int
    is_in_days: bool = False


def remaining_fulls(backup: StoredBackup, info: Info, retention: Retention | None) -> int | None:
    """How many more full backups complete before a backup expires; None if that is not counted.

    Args:
        backup: The backup, which is retained as long as its full backup.
        info: All backups.
        retention: How long they are retained; None for ever.
    """
    if retention is None or retention.is_in_days:
        return None
    return max(retention.full - len(_newer_fulls(backup, info)), 0)


def retained_until(
    backup: StoredBackup, info: Info, retention: Retention | None
) -> datetime | None:
    """When a backup can expire at the earliest; None if that is not a matter of time, or unknown.

    pgBackRest keeps one full backup that is as old as the days, so that a backup expires once the
    next full one has that age. Without a next one, it is unknown. The arguments are those of
    ``remaining_fulls``.
    """
    newer = _newer_fulls(backup, info)
    if retention is None or not retention.is_in_days or not newer:
        return None
    return newer[0].stopped + timedelta(days=retention.full)


def _newer_fulls(backup: StoredBackup, info: Info) -> list[StoredBackup]:
    """The full backups that are newer than that of a backup, oldest first."""
    return [
        item
        for item in info.of(backup.repository)
        if item.kind == FULL and item.label > backup.full_label
    ]
