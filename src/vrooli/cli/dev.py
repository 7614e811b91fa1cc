"""``vrooli dev``: run services of the dev release on this host."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import completion, develop, examples, options
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.releases import DevResult

Services = Annotated[
    list[str],
    typer.Argument(
        metavar="SERVICE...",
        help="Services to run here: server, jobs, ui.",
        autocompletion=completion.host_services,
    ),
]

Debugger = Annotated[
    bool,
    typer.Option(
        "--debugger",
        help="Let editors attach to the services. Any user of this machine can attach, and run "
        "code as you.",
    ),
]

EXAMPLES = examples.epilog(
    ("Run the server on this host, with reload", "vrooli dev server"),
    ("Let an editor attach to it", "vrooli dev server --debugger"),
    ("Run the page and the server on this host", "vrooli dev ui server"),
)


def command(
    services: Services,
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    values: options.ValuesFiles = None,
    debugger: Debugger = False,
    yes: prompt.Yes = False,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Run services on this host until Ctrl-C, with the data of the dev release.

    Does what `vrooli develop` does first. Then each service runs on this host, with reload, the
    environment of its pod, and tunnels to PostgreSQL, Redis and the detector. Its pod passes its
    requests on to this host, so the URLs of the release lead to it. Ctrl-C runs the built images
    again. Only for the environment dev.

    With --debugger, debugpy waits for an editor at an address of 127.0.0.1, which is printed.
    """

    def work(listener: Listener) -> Awaitable[DevResult]:
        from vrooli.workflows.development import services as dev
        from vrooli.workflows.options import DevelopOptions

        request = DevelopOptions(
            environment=environments.environment(environment),
            cluster=cluster,
            values=tuple(values or ()),
        )
        consent = prompt.consent(yes=yes)
        return dev.dev(request, services, listener, consent, debugger=debugger)

    execute(work, _show, output, debug)


def _show(result: DevResult, console: Console) -> None:
    develop.show(result, console, scripts=develop.scripts_off_path())
