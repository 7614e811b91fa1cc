"""``vrooli backup`` and ``vrooli backups``: points of a release, and what can be restored."""

from __future__ import annotations

from collections.abc import Awaitable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import examples, options
from vrooli.cli.run import execute
from vrooli.cli.terminal import tables
from vrooli.events import Listener
from vrooli.grammar import counted, format_bytes

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.backups import (
        BackupResult,
        BackupsResult,
        BackupView,
        RangeView,
    )


class Kind(StrEnum):
    """Kinds of pgBackRest's backups."""

    FULL = "full"
    DIFF = "diff"
    INCR = "incr"


Repository = Annotated[
    int,
    typer.Option(
        "--repository",
        min=1,
        max=4,
        metavar="NUMBER",
        help="Repository: 1 is the backup volume, 2 S3, 3 Google Cloud Storage, 4 Azure.",
    ),
]

BACKUP_EXAMPLES = examples.epilog(
    ("Back up the dev environment", "vrooli backup"),
    (
        "Make a full backup of production in S3",
        "vrooli backup -e prod --type full --repository 2 --cluster context:my-cluster",
    ),
)


def backup(
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    repository: Repository = 1,
    kind: Annotated[
        Kind,
        typer.Option(
            "--type",
            help="Type of PostgreSQL's backup: all data (full), or the changes since the last full "
            "(diff) or the last backup (incr).",
        ),
    ] = Kind.INCR,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout", min=1, metavar="SECONDS", help="Time limit of PostgreSQL's backup."
        ),
    ] = 3600.0,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait",
            help="Accepted for scripts: the command always waits, since it takes the point after "
            "the copy of PostgreSQL's data and records it at the end.",
        ),
    ] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", "-y", help="Accepted for scripts: nothing is changed that would be confirmed."
        ),
    ] = False,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Back up a release and wait until the backup can be restored.

    A backup is one point of the release: PostgreSQL, Redis, the versions of its secrets in Vault,
    the revision and the version of the artifact. It is stored in pgBackRest's repository and
    expires with its full backup there. Secret values stay in Vault.
    """
    del wait, yes

    def work(listener: Listener) -> Awaitable[BackupResult]:
        from vrooli.workflows.backups.backup import backup
        from vrooli.workflows.backups.run import BackupOptions

        where = environments.environment(environment)
        request = BackupOptions(where, cluster, repository, kind.value, timeout)
        return backup(request, listener)

    execute(work, _show_backup, output, debug)


BACKUPS_EXAMPLES = examples.epilog(
    ("List the backups of the dev environment", "vrooli backups"),
    (
        "List the backups of production as JSON",
        "vrooli backups -e prod --output json --cluster context:my-cluster",
    ),
)


def backups(
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """List the backups of a release, oldest first, and the moments that can be restored."""

    def work(listener: Listener) -> Awaitable[BackupsResult]:
        from vrooli.workflows.backups.backup import backups

        return backups(environments.environment(environment), cluster, listener)

    execute(work, _show_backups, output, debug)


def _show_backup(result: BackupResult, console: Console) -> None:
    tables.show_steps(result, console)
    item = result.backup
    redis = f", Redis {format_bytes(item.redis_bytes)}" if item.redis_bytes is not None else ""
    console.print(
        f"\nPoint {item.id} of {result.release} is complete: PostgreSQL "
        f"{format_bytes(item.size_bytes)} ({format_bytes(item.stored_bytes)} stored){redis}."
    )
    console.print(f"It is retained {_retention(item)}.")
    console.print(f"To restore a copy: `{result.restore_command}`", markup=False, soft_wrap=True)
    tables.show_notes((f"not in this point: {note.rstrip('.')}" for note in result.notes), console)


def _show_backups(result: BackupsResult, console: Console) -> None:
    tables.show_rows(
        f"Backups of {result.release} in namespace {result.namespace}",
        ("id", "time", "type", "repository", "size", "stored", "redis", "revision", "retained"),
        [_row(item) for item in result.backups],
        console,
    )
    console.print()
    for item in result.ranges:
        console.print(_range(item), markup=False)
        if item.advice:
            console.print(item.advice, markup=False, soft_wrap=True)
        elif item.full_schedule:
            console.print(f"Its full backups are scheduled: {item.full_schedule}", markup=False)
    if result.is_running:
        console.print("A backup is running.")


def _row(item: BackupView) -> tuple[object, ...]:
    return (
        item.id,
        f"{item.time:%Y-%m-%d %H:%M:%SZ}",
        f"{item.kind}{'' if item.is_point else ', PostgreSQL only'}",
        item.repository,
        format_bytes(item.size_bytes),
        format_bytes(item.stored_bytes),
        "" if item.redis_bytes is None else format_bytes(item.redis_bytes),
        item.revision,
        _retention(item) + (", with errors" if item.has_errors else ""),
    )


def _retention(item: BackupView) -> str:
    remaining = item.remaining_full_backups
    if item.retained_until is not None:
        return f"until {item.retained_until:%Y-%m-%d %H:%MZ} or longer"
    if item.retention_days is not None:
        days = counted(item.retention_days, "day")
        return f"until {days} after the next full backup in repository {item.repository}"
    if remaining is None:
        return "until it is deleted"
    if not remaining:
        return f"until the next backup in repository {item.repository}"
    return f"until {counted(remaining, 'more full backup')} in repository {item.repository}"


def _range(item: RangeView) -> str:
    name = f"Repository {item.repository}"
    if item.problem:
        return f"{name} cannot be used: {item.problem}."
    if item.since is None:
        return f"{name} has no backup."
    until = f"{item.until:%Y-%m-%d %H:%M:%SZ}" if item.until else "an unknown time"
    return f"{name} restores any moment from {item.since:%Y-%m-%d %H:%M:%SZ} to {until}."
