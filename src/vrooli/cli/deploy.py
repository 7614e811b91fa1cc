"""``vrooli deploy``: deploy an artifact to a cluster."""

from __future__ import annotations

from collections.abc import Awaitable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import examples, options
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.releases import DeployResult


class Source(StrEnum):
    """Kinds of artifact, as the specification names them."""

    K8S = "k8s"


SourceName = Annotated[
    Source,
    typer.Option("--source", "-s", help="Kind of artifact. Only k8s, the Helm chart, exists."),
]
Version = Annotated[
    str | None,
    typer.Option(
        "--version",
        "-v",
        metavar="VERSION",
        help="Version of the artifact. Default: the version of the project.",
        show_default=False,
    ),
]
ArtifactFolder = Annotated[
    Path | None,
    typer.Option(
        "--artifact",
        metavar="DIR",
        help="Directory of the artifact. Default: build_output/VERSION in the repository.",
        show_default=False,
    ),
]
Rollback = Annotated[
    bool,
    typer.Option(
        "--rollback/--no-rollback",
        help="Roll back automatically if the release cannot become ready, or leave it as it is.",
    ),
]
PreserveAdded = Annotated[
    bool,
    typer.Option(
        "--keep-added",
        help="Keep fields that were added to objects of the release by hand. By default they are "
        "listed and removed.",
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        min=1,
        metavar="SECONDS",
        help="Seconds to wait until the release is ready.",
    ),
]

EXAMPLES = examples.epilog(
    (
        "Deploy version 1.2.3 to production",
        "vrooli deploy -e prod -v 1.2.3 --cluster context:my-cluster",
    ),
    (
        "Deploy without confirmation, for example in CI",
        "vrooli deploy -e staging -v 1.2.3 --cluster context:my-cluster --yes",
    ),
    ("Keep a failed release for inspection", "vrooli deploy -v 1.2.3 --no-rollback"),
)


def command(
    source: SourceName = Source.K8S,
    environment: options.EnvironmentName = "dev",
    version: Version = None,
    artifact: ArtifactFolder = None,
    cluster: options.ClusterName = None,
    yes: prompt.Yes = False,
    rollback: Rollback = True,
    timeout: Timeout = 600.0,
    preserve_added: PreserveAdded = False,
    discard_overrides: options.DiscardOverrides = False,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Deploy an artifact of `vrooli build` and wait until the release is healthy.

    Checks the requirements and shows the changes before it applies them. If the release cannot
    become ready, the command saves a report with events and logs, and rolls back.
    """
    del source  # there is one

    def work(listener: Listener) -> Awaitable[DeployResult]:
        from vrooli.workflows.deploys.deploy import deploy
        from vrooli.workflows.options import DeployOptions

        where = environments.environment(environment)
        request = DeployOptions(
            where,
            version,
            artifact,
            cluster,
            rollback,
            timeout,
            preserve_added,
            discard_overrides,
        )
        return deploy(request, listener, prompt.consent(yes=yes))

    execute(work, _show, output, debug)


def _show(result: DeployResult, console: Console) -> None:
    tables.show_steps(result, console)
    console.print(
        f"\n{result.release} is healthy in namespace {result.namespace}: "
        f"version {result.version}, revision {result.revision}."
    )
