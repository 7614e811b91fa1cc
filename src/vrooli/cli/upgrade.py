"""``vrooli upgrade``: upgrade what releases stand on."""

from __future__ import annotations

from collections.abc import Awaitable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli.cli import examples, options
from vrooli.cli.command import App
from vrooli.cli.deploy import Timeout
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.operators import UpgradeOperatorsResult

app = App(help="Upgrade what the releases of a cluster stand on.", no_args_is_help=True)


class OperatorName(StrEnum):
    """The operators."""

    POSTGRES = "postgres"
    REDIS = "redis"
    VAULT = "vault"


@app.command(
    epilog=examples.epilog(
        ("Upgrade all operators that vrooli has installed", "vrooli upgrade operators"),
        (
            "Upgrade the Redis operator of a cluster without a prompt",
            "vrooli upgrade operators redis --cluster minikube --yes",
        ),
    )
)
def operators(
    names: Annotated[
        list[OperatorName] | None,
        typer.Argument(
            metavar="OPERATOR",
            help="Operators: postgres, redis or vault. Default: all that vrooli has installed.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Upgrade although a release is not healthy, or the upgrade was not proven.",
        ),
    ] = False,
    cluster: options.ClusterName = None,
    yes: prompt.Yes = False,
    timeout: Timeout = 600.0,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Upgrade the operators of a cluster to the versions that this version of vrooli installs.

    Shows which versions run and who installed them. Refuses operators that others installed,
    downgrades, upgrades that were not proven, releases that are not healthy, and a cluster in which
    a deploy runs. Upgrades one operator after another with its definitions, and waits until it has
    reconciled all its resources and all releases are ready. Reports which pods of databases were
    restarted. If an upgrade fails, goes back to the previous operator where Helm has installed it.
    """

    def work(listener: Listener) -> Awaitable[UpgradeOperatorsResult]:
        from vrooli.workflows.operators import upgrade as workflow

        chosen = tuple(name.value for name in names or ())
        request = workflow.UpgradeOptions(chosen, cluster, force, timeout)
        return workflow.upgrade_operators(request, listener, prompt.consent(yes=yes))

    execute(work, _show, output, debug)


def _show(result: UpgradeOperatorsResult, console: Console) -> None:
    tables.show_steps(result, console)
    if not result.changed:
        console.print("\nNo operator was changed.")
        return
    for item in result.operators:
        if item.outcome == "upgraded":
            console.print(f"\n{item.title} {item.after} runs (before: {item.before}).")
