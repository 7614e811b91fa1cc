"""``vrooli setup``: prepare this machine, or all that a release stands on."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import options, tables
from vrooli.cli.run import execute
from vrooli.events import Listener

if TYPE_CHECKING:
    from vrooli.workflows.results import StepsResult

Target = Annotated[
    str | None,
    typer.Option(
        "--target",
        "-t",
        help="Also prepare this target: k8s-cluster makes the cluster, the operators and Vault.",
        show_default=False,
    ),
]


def command(
    target: Target = None,
    cluster: options.ClusterName = None,
    secrets_source: options.Secrets = environments.SecretsSource.VAULT,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Prepare this machine: host packages, programs and images. What is there stays.

    With --target k8s-cluster also the cluster, the three operators and Vault: all that a
    release stands on, without the release.
    """

    def work(listener: Listener) -> Awaitable[StepsResult]:
        from vrooli.workflows.setup import SetupOptions, setup

        wanted = SetupOptions(
            target=environments.target(target) if target else None,
            cluster=cluster,
            secrets_source=secrets_source,
        )
        return setup(wanted, listener)

    execute(work, tables.show_steps, output, debug)
