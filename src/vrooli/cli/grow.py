"""``vrooli grow``: give databases larger volumes."""

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

    from vrooli.workflows.results.releases import GrowResult


class DataName(StrEnum):
    """The data whose volumes can grow."""

    POSTGRES = "postgres"
    REDIS = "redis"
    BACKUPS = "backups"


What = Annotated[DataName, typer.Argument(help="Data: postgres, redis or backups.")]
Size = Annotated[str, typer.Argument(help="Size of each volume, such as 5Gi.")]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        min=1,
        metavar="SECONDS",
        help="Seconds that each volume may take to be expanded or filled.",
    ),
]

EXAMPLES = examples.epilog(
    ("Give PostgreSQL volumes of 100 GiB in production", "vrooli grow postgres 100Gi -e prod"),
    ("Expand the volume of the backups", "vrooli grow backups 200Gi -e prod"),
)


def command(
    data: What,
    size: Size,
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    yes: prompt.Yes = False,
    timeout: Timeout = 1800.0,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Give databases larger volumes without downtime.

    Expands the volumes if their storage class allows it. Otherwise replaces the instances of
    PostgreSQL, or the pods of Redis, one by one by others with larger volumes, and switches over;
    nothing is lost. Later deploys keep the size. If the command is interrupted, run it again: it
    continues.
    """

    def work(listener: Listener) -> Awaitable[GrowResult]:
        from vrooli.workflows.scaling.grow import grow
        from vrooli.workflows.scaling.growth_plan import Data
        from vrooli.workflows.scaling.values_change import ValuesOptions

        request = ValuesOptions(environments.environment(environment), cluster, timeout)
        return grow(request, Data(data.value), size, listener, prompt.consent(yes=yes))

    execute(work, _show, output, debug)


def _show(result: GrowResult, console: Console) -> None:
    tables.show_steps(result, console)
    pause = f" Writes paused for {result.pause_s:.1f} s." if result.replaced else ""
    console.print(
        f"\nThe volumes of {result.data} in namespace {result.namespace} have {result.after} "
        f"(before: {result.before}).{pause}"
    )
