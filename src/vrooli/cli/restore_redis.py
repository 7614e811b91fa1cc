"""``vrooli restore --only redis``: the data of Redis at a point."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from vrooli import environments
from vrooli.cli import options
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.events import Listener
from vrooli.grammar import counted

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.backups import RedisRestoreResult


def run(
    environment: str,
    point: str,
    cluster: str | None,
    timeout: float,
    yes: bool,
    output: options.OutputFormat,
    debug: bool,
) -> None:
    """Restore Redis to a point."""

    def work(listener: Listener) -> Awaitable[RedisRestoreResult]:
        from vrooli.workflows.restore_redis import RedisRestoreOptions, restore_redis

        where = environments.environment(environment)
        request = RedisRestoreOptions(where, point, cluster, timeout)
        return restore_redis(request, listener, prompt.consent(yes=yes))

    execute(work, _show, output, debug)


def _show(result: RedisRestoreResult, console: Console) -> None:
    tables.show_steps(result, console)
    console.print(
        f"\nRedis of {result.release} has the data of point {result.point}: "
        f"{counted(result.keys, 'key')}. It refused writes for {result.pause_s:.1f} s."
    )
    console.print(
        f"To bring the previous data back: `{result.undo_command}`", markup=False, soft_wrap=True
    )
