"""``vrooli history``, ``vrooli rollback`` and ``vrooli diff``: the revisions of a release."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import examples, options
from vrooli.cli.deploy import ArtifactFolder, PreserveAdded, Timeout, Version
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.releases import (
        DiffResult,
        HistoryResult,
        RevisionView,
        RollbackResult,
    )

# Placeholder for missing values, and the length of an abbreviated commit.
UNKNOWN, SHORT = "unknown", 10
# Suffix of a revision whose deploy was killed or is still running.
UNFINISHED = " (its deploy has not ended)"

Revision = Annotated[
    int | None,
    typer.Argument(help="Revision to restore. Default: the previous one that became ready.", min=1),
]

HISTORY_EXAMPLES = examples.epilog(
    ("List the revisions in the dev environment", "vrooli history"),
    ("List the revisions in production", "vrooli history -e prod --cluster context:my-cluster"),
)


def history(
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """List the revisions of a release, oldest first."""

    def work(listener: Listener) -> Awaitable[HistoryResult]:
        from vrooli.workflows.deploys import history as releases

        return releases.history(environments.environment(environment), cluster, listener)

    execute(work, _show_history, output, debug)


ROLLBACK_EXAMPLES = examples.epilog(
    (
        "Roll back to the previous healthy revision",
        "vrooli rollback -e prod --cluster context:my-cluster",
    ),
    ("Roll back to revision 3", "vrooli rollback 3 -e prod --cluster context:my-cluster"),
)


def rollback(
    revision: Revision = None,
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    yes: prompt.Yes = False,
    timeout: Timeout = 600.0,
    preserve_added: PreserveAdded = False,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Roll back to an earlier revision and wait until the release is healthy.

    Checks the requirements and shows the changes before it applies them. If the release cannot
    become ready, the command saves a report with events and logs.
    """

    def work(listener: Listener) -> Awaitable[RollbackResult]:
        from vrooli.workflows.deploys.rollback import RollbackOptions, rollback

        where = environments.environment(environment)
        request = RollbackOptions(where, revision, cluster, timeout, preserve_added)
        return rollback(request, listener, prompt.consent(yes=yes))

    execute(work, _show_rollback, output, debug)


DIFF_EXAMPLES = examples.epilog(
    (
        "Show manual changes since the last deploy",
        "vrooli diff -e prod --cluster context:my-cluster",
    ),
    (
        "Show what deploying version 1.2.3 would change",
        "vrooli diff -e prod -v 1.2.3 --cluster context:my-cluster",
    ),
)


def diff(
    environment: options.EnvironmentName = "dev",
    version: Version = None,
    artifact: ArtifactFolder = None,
    cluster: options.ClusterName = None,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Compare a release in the cluster with its last revision, or with an artifact.

    Without --version and --artifact, the command shows manual changes since the last deploy. With
    them, it shows what a deploy would change. Exits with 1 if there are differences.
    """

    def work(listener: Listener) -> Awaitable[DiffResult]:
        from vrooli.workflows.deploys import history as releases
        from vrooli.workflows.options import DeployOptions

        where = environments.environment(environment)
        return releases.diff(DeployOptions(where, version, artifact, cluster), listener)

    execute(work, _show_diff, output, debug)


def _show_history(result: HistoryResult, console: Console) -> None:
    tables.show_rows(
        f"Release {result.release} in namespace {result.namespace}",
        ("revision", "time", "status", "version", "source", "user", "description"),
        [
            (
                item.number,
                f"{item.time:%Y-%m-%d %H:%M:%S}",
                item.status,
                _version(item),
                _commit(item.commit),
                f"{item.deployed_by} on {item.deployed_from}"
                if item.deployed_by or item.deployed_from
                else UNKNOWN,
                item.description + (UNFINISHED if item.outcome == "unfinished" else ""),
            )
            for item in result.revisions
        ],
        console,
    )


def _version(item: RevisionView) -> str:
    """Format the version, and whether it was deployed by develop."""
    if item.version is None:
        return UNKNOWN
    return f"{item.version} (develop)" if item.origin == "source" else item.version


def _commit(source: str | None) -> str:
    """Abbreviate a commit."""
    commit, dash, suffix = (source or UNKNOWN).partition("-")
    return f"{commit[:SHORT]}{dash}{suffix}"


def _show_rollback(result: RollbackResult, console: Console) -> None:
    tables.show_steps(result, console)
    text = f"revision {result.to_revision} restored as revision {result.revision}"
    console.print(f"\n{result.release} is healthy in namespace {result.namespace}: {text}.")


def _show_diff(result: DiffResult, console: Console) -> None:
    from vrooli.workflows.change_view import format_change

    tables.show_overrides(result.overrides, console)
    for change in result.changes:
        for line in format_change(change):
            console.print(line, markup=False, soft_wrap=True)
    if not result.changes:
        console.print(f"{result.release} does not differ from {result.compared_to}.")
