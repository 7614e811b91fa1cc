"""``vrooli deploy``: an artifact into a cluster."""

from __future__ import annotations

from collections.abc import Awaitable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import asking, options, tables
from vrooli.cli.run import execute
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results import DeployResult


class Source(StrEnum):
    """What is deployed: the specification's word for the chart's artifact."""

    K8S = "k8s"


SourceName = Annotated[
    Source, typer.Option("--source", "-s", help="What is deployed; k8s is the chart's artifact.")
]
Version = Annotated[
    str | None,
    typer.Option(
        "--version",
        "-v",
        metavar="MAJOR.MINOR.PATCH",
        help="The artifact's version. Without it: the project's.",
        show_default=False,
    ),
]
ArtifactFolder = Annotated[
    Path | None,
    typer.Option(
        "--artifact",
        metavar="DIR",
        help="The artifact. Without it: build_output/VERSION in the repository.",
        show_default=False,
    ),
]
Rollback = Annotated[
    bool,
    typer.Option(
        "--rollback/--no-rollback",
        help="Go back by itself when the release can't become ready, or leave it as it is.",
    ),
]
KeepAdded = Annotated[
    bool,
    typer.Option(
        "--keep-added",
        help="Keep the fields that people added to the release's objects by hand. Without it they "
        "are shown and taken back.",
    ),
]
Timeout = Annotated[
    float, typer.Option("--timeout", min=1, help="Seconds that it may take to become ready.")
]


def command(
    source: SourceName = Source.K8S,
    environment: options.EnvironmentName = "dev",
    version: Version = None,
    artifact: ArtifactFolder = None,
    cluster: options.ClusterName = None,
    yes: asking.Yes = False,
    rollback: Rollback = True,
    timeout: Timeout = 600.0,
    keep_added: KeepAdded = False,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Deploy an artifact of `vrooli build`: look, show what changes, apply, follow.

    Nothing is touched before the cluster was found to have all that the release needs. When it
    can't become ready, what its pods say is kept in a report, and the old state is brought back.
    """
    del source  # there is one

    def work(listener: Listener) -> Awaitable[DeployResult]:
        from vrooli.workflows.deploy import DeployOptions, deploy

        where = environments.environment(environment)
        wanted = DeployOptions(where, version, artifact, cluster, rollback, timeout, keep_added)
        return deploy(wanted, listener, asking.consent(yes=yes))

    execute(work, _show, output, debug)


def _show(result: DeployResult, console: Console) -> None:
    tables.show_steps(result, console)
    console.print(
        f"\n{result.release} is healthy in namespace {result.namespace}: "
        f"version {result.version}, revision {result.revision}."
    )
