"""``vrooli uninstall``: take the release away."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import asking, options, tables
from vrooli.cli.run import execute
from vrooli.events import Listener

if TYPE_CHECKING:
    from vrooli.workflows.results import StepsResult


def command(
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    data: Annotated[
        bool,
        typer.Option(
            "--delete-data",
            "--data",
            help="Also its data: the namespace with databases and volumes.",
        ),
    ] = False,
    yes: asking.Yes = False,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Take the release away. Its data, the operators, Vault and the cluster stay.

    `vrooli cluster delete` takes all of it away at once.
    """

    def work(listener: Listener) -> Awaitable[StepsResult]:
        from vrooli.workflows.uninstall import uninstall

        where = environments.environment(environment)
        return uninstall(where, cluster, listener, data=data, consent=asking.consent(yes=yes))

    execute(work, tables.show_steps, output, debug)
