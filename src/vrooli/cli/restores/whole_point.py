"""``vrooli restore --all``: PostgreSQL, Redis and the secrets of a point."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from vrooli.cli.restores import postgres, redis, vault
from vrooli.cli.restores.request import RestoreRequest
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.backups import PointRestoreResult


def run(request: RestoreRequest) -> None:
    """Restore all of a point."""

    def work(listener: Listener) -> Awaitable[PointRestoreResult]:
        from vrooli.workflows.restores.point import PointRestoreOptions, restore_point

        options = PointRestoreOptions(
            request.environment, request.point, request.cluster, request.timeout_s
        )
        return restore_point(options, listener, prompt.consent(yes=request.yes))

    execute(work, _show, request.output, request.debug)


def _show(result: PointRestoreResult, console: Console) -> None:
    postgres.show(result.postgres, console)
    if result.redis is not None:
        redis.show(result.redis, console)
    if result.vault is not None:
        vault.show(result.vault, console)
    tables.show_notes(result.notes, console)
