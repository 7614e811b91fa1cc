"""``vrooli logs``: print the logs of a component."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import completion, examples, options
from vrooli.cli.run import execute
from vrooli.cli.terminal import tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from vrooli.workflows.results.base import Result

Component = Annotated[
    str,
    typer.Argument(
        autocompletion=completion.components,
        help="Component: ui, server, jobs, nsfw-detector, adminer, rotator, postgres or redis.",
    ),
]

EXAMPLES = examples.epilog(
    ("Print the last 100 lines of the server", "vrooli logs server"),
    (
        "Follow the jobs in production",
        "vrooli logs jobs --follow -e prod --cluster context:my-cluster",
    ),
)


def command(
    component: Component,
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    follow: options.Follow = False,
    tail: options.Tail = 100,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Print the logs of a component's pods, prefixed with the pod name. Secrets are redacted.

    Use `kubectl logs` for unredacted logs.
    """

    def work(listener: Listener) -> Awaitable[Result]:
        from vrooli.workflows.logs import release_logs

        where = environments.environment(environment)
        return release_logs(where, cluster, component, listener, tail=tail, follow=follow)

    execute(work, tables.show_empty, output, debug)
