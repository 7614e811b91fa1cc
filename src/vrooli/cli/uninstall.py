"""``vrooli uninstall``: uninstall a release."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import examples, options
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from vrooli.workflows.results.base import StepsResult

EXAMPLES = examples.epilog(
    ("Uninstall the release and keep its data", "vrooli uninstall"),
    ("Uninstall the release and delete its data", "vrooli uninstall --delete-data"),
)


def command(
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    data: Annotated[
        bool,
        typer.Option(
            "--delete-data",
            "--data",
            help="Also delete the namespace with its databases and volumes.",
        ),
    ] = False,
    yes: prompt.Yes = False,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Uninstall a release. Its data, the operators, Vault and the cluster are kept.

    To remove everything at once, use `vrooli cluster delete`.
    """

    def work(listener: Listener) -> Awaitable[StepsResult]:
        from vrooli.workflows.deploys.uninstall import uninstall

        where = environments.environment(environment)
        return uninstall(where, cluster, listener, data=data, consent=prompt.consent(yes=yes))

    execute(work, tables.show_steps, output, debug)
