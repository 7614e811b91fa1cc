"""``vrooli scale``: set the number of pods of a component."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import completion, examples, options
from vrooli.cli.deploy import Timeout
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.errors import UsageError
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.releases import ScaleResult

ComponentName = Annotated[
    str,
    typer.Argument(
        help="Component: ui, server, jobs, nsfw-detector, adminer, postgres, pgbouncer, redis or "
        "sentinel.",
        autocompletion=completion.scalable,
    ),
]
Replicas = Annotated[
    int | None,
    typer.Argument(
        help="Number of pods; of an autoscaled component, the minimum.", min=0, metavar="N"
    ),
]
Reset = Annotated[
    bool, typer.Option("--reset", help="Return to the number of the artifact's values.")
]

EXAMPLES = examples.epilog(
    ("Run five pods of the server in production", "vrooli scale server 5 -e prod"),
    ("Stop the jobs", "vrooli scale jobs 0 -e staging"),
    ("Return to the number of the artifact's values", "vrooli scale server --reset -e prod"),
)


def command(
    component: ComponentName,
    replicas: Replicas = None,
    reset: Reset = False,
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    yes: prompt.Yes = False,
    timeout: Timeout = 600.0,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Set the number of pods of a component and wait until the release is ready.

    Later deploys keep the number until --reset. Checks first whether the nodes have room. Of an
    autoscaled component, sets the minimum of the autoscaler. If the release cannot become ready,
    the command saves a report with events and logs, and rolls back.
    """

    def work(listener: Listener) -> Awaitable[ScaleResult]:
        from vrooli.workflows.scaling.scale import scale
        from vrooli.workflows.scaling.values_change import ValuesOptions

        if (replicas is None) != reset:
            raise UsageError(
                "Either a number of pods or --reset is required.",
                "For example: `vrooli scale server 5`.",
            )
        request = ValuesOptions(environments.environment(environment), cluster, timeout)
        return scale(request, component, replicas, listener, prompt.consent(yes=yes))

    execute(work, _show, output, debug)


def _show(result: ScaleResult, console: Console) -> None:
    tables.show_steps(result, console)
    what = f"{result.component} in namespace {result.namespace}"
    pods = f"has at least {result.after}" if result.autoscaled else f"has {result.after}"
    console.print(f"\n{what} {pods} (before: {result.before}), revision {result.revision}.")
