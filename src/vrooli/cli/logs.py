"""``vrooli logs``: what a component of the release says."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import options, tables
from vrooli.cli.run import execute
from vrooli.events import Listener

if TYPE_CHECKING:
    from vrooli.workflows.results import Result

Component = Annotated[
    str,
    typer.Argument(help="ui, server, jobs, nsfw-detector, adminer, rotator, postgres or redis."),
]


def command(
    component: Component,
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    follow: options.Follow = False,
    tail: options.Tail = 100,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Show the logs of a component's pods, each line with its pod's name, secrets masked.

    `kubectl logs` shows them as they are.
    """

    def work(listener: Listener) -> Awaitable[Result]:
        from vrooli.workflows.logs import release_logs

        where = environments.environment(environment)
        return release_logs(where, cluster, component, listener, tail=tail, follow=follow)

    execute(work, tables.show_nothing, output, debug)
