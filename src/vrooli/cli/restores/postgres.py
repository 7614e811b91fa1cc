"""``vrooli restore``: PostgreSQL in place, and the end of such a restore."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING

from vrooli.cli.restores.request import RestoreRequest
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.backups import (
        PostgresRestoreEndResult,
        PostgresRestoreResult,
        TableView,
    )


def run(request: RestoreRequest) -> None:
    """Restore PostgreSQL in place."""

    def work(listener: Listener) -> Awaitable[PostgresRestoreResult]:
        from vrooli.workflows.restores.postgres import PostgresRestoreOptions, restore_postgres

        options = PostgresRestoreOptions(
            request.environment,
            request.to,
            request.point,
            request.cluster,
            request.repository,
            request.timeout_s,
        )
        return restore_postgres(options, listener, prompt.consent(yes=request.yes))

    execute(work, show, request.output, request.debug)


def end(request: RestoreRequest, *, undo: bool) -> None:
    """Delete the data of before the last restore, or bring them back."""

    def work(listener: Listener) -> Awaitable[PostgresRestoreEndResult]:
        from vrooli.workflows.restores.end import finish_restore, undo_restore
        from vrooli.workflows.restores.postgres import PostgresRestoreOptions

        options = PostgresRestoreOptions(
            request.environment, cluster=request.cluster, timeout_s=request.timeout_s
        )
        act = undo_restore if undo else finish_restore
        return act(options, listener, prompt.consent(yes=request.yes))

    execute(work, _show_end, request.output, request.debug)


def show(result: PostgresRestoreResult, console: Console) -> None:
    """Print the result."""
    tables.show_steps(result, console)
    show_tables(result.tables, ("restored", "before"), console)
    console.print(
        f"\nPostgreSQL of {result.release} has the data of "
        f"{result.moment:%Y-%m-%d %H:%M:%SZ}. No write was acknowledged for {result.pause_s:.1f} s."
    )
    tables.show_notes(result.differences, console)
    if result.returned_roles:
        console.print(
            f"Roles that were dropped since then exist again, without login and memberships: "
            f"{', '.join(result.returned_roles)}",
            markup=False,
        )
    for text, command in (
        ("To bring the previous data back", result.undo_command),
        ("To delete them", result.finish_command),
    ):
        console.print(f"{text}: `{command}`", markup=False, soft_wrap=True)


def _show_end(result: PostgresRestoreEndResult, console: Console) -> None:
    tables.show_steps(result, console)
    if result.aside:
        console.print(
            f"\nThe exchange had been interrupted. Data that Patroni created then are kept in "
            f"{result.aside} of the pod.",
            markup=False,
        )
    if not result.is_undone:
        console.print(f"\nThe data of before the restore of {result.release} were deleted.")
        return
    console.print(
        f"\nPostgreSQL of {result.release} has the data of before the restore. No write was "
        f"acknowledged for {result.pause_s:.1f} s."
    )


def show_tables(views: Sequence[TableView], columns: tuple[str, str], console: Console) -> None:
    """Print the rows of each table in restored and in live data."""
    rows = [(item.table, item.restored_rows, item.live_rows) for item in views]
    tables.show_rows("Rows", ("table", *columns), rows, console)
