"""``vrooli switchover``: make another pod of a database accept the writes."""

from __future__ import annotations

from collections.abc import Awaitable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import examples, options
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.databases import SwitchoverResult

EXAMPLES = examples.epilog(
    (
        "Switch PostgreSQL over to a replica",
        "vrooli switchover postgres -e prod --cluster context:my-cluster",
    ),
    ("Choose the pod", "vrooli switchover redis --to rfr-vrooli-rf-1 -e prod"),
)


class Database(StrEnum):
    """The databases of a release."""

    POSTGRES = "postgres"
    REDIS = "redis"


def command(
    database: Annotated[Database, typer.Argument(help="Database.")],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="POD",
            help="Pod that accepts the writes afterwards. Default: the replica that is in sync.",
            show_default=False,
        ),
    ] = "",
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    yes: prompt.Yes = False,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Switch a database over to a replica, for example before its node is drained.

    Requires that all replicas are healthy and in sync. Writes pause for some seconds, and no
    acknowledged write is lost. The command measures the pause, and waits until the former pod
    follows the new one.
    """

    def work(listener: Listener) -> Awaitable[SwitchoverResult]:
        from vrooli.workflows import switchover

        where = environments.environment(environment)
        chosen = switchover.Database(database.value)
        request = switchover.SwitchoverOptions(where, chosen, to, cluster)
        return switchover.switchover(request, listener, prompt.consent(yes=yes))

    execute(work, _show, output, debug)


def _show(result: SwitchoverResult, console: Console) -> None:
    tables.show_steps(result, console)
    if result.changed:
        console.print(
            f"\n{result.current} accepts the writes. They paused for {result.pause_s:.1f} s."
        )
