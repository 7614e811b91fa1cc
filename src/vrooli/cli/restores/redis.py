"""``vrooli restore --only redis``: the data of Redis at a point."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from vrooli.cli.restores.request import RestoreRequest
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.events import Listener
from vrooli.grammar import counted

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.backups import RedisRestoreResult


def run(request: RestoreRequest) -> None:
    """Restore Redis to a point."""

    def work(listener: Listener) -> Awaitable[RedisRestoreResult]:
        from vrooli.workflows.restores.redis import RedisRestoreOptions, restore_redis

        options = RedisRestoreOptions(
            request.environment, request.point, request.cluster, request.timeout_s
        )
        return restore_redis(options, listener, prompt.consent(yes=request.yes))

    execute(work, show, request.output, request.debug)


def show(result: RedisRestoreResult, console: Console) -> None:
    """Print the result."""
    tables.show_steps(result, console)
    console.print(
        f"\nRedis of {result.release} has the data of point {result.point}: "
        f"{counted(result.keys, 'key')}. It refused writes for {result.pause_s:.1f} s."
    )
    console.print(
        f"To bring the previous data back: `{result.undo_command}`", markup=False, soft_wrap=True
    )
