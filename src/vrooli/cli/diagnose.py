"""``vrooli diagnose``: find the root causes of an unhealthy release."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import examples, options
from vrooli.cli.run import execute
from vrooli.cli.terminal import tables
from vrooli.events import Listener
from vrooli.grammar import counted

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.findings import CauseView, DiagnoseResult, FindingView

Namespace = Annotated[
    str | None,
    typer.Option(
        "--namespace",
        "-n",
        metavar="NAME",
        help="Namespace of the release. Default: the namespace of the environment.",
        show_default=False,
    ),
]
ReleaseName = Annotated[
    str | None,
    typer.Option(
        "--release",
        metavar="NAME",
        help="Name of the release. Default: the only release in the namespace of -n, otherwise the "
        "release of the environment.",
        show_default=False,
    ),
]
Bundle = Annotated[
    Path | None,
    typer.Option(
        "--bundle",
        metavar="FILE.tar.gz",
        help="Save the collected data as an archive with an HTML report. Secrets are redacted.",
        show_default=False,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite an existing archive.")]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        min=1,
        metavar="SECONDS",
        help="Maximum time for data collection in seconds.",
    ),
]

FOLLOWS = "Consequences (→) have their own remediation; use --output json to see it."

EXAMPLES = examples.epilog(
    ("Diagnose the dev environment", "vrooli diagnose"),
    (
        "Diagnose production and save the collected data",
        "vrooli diagnose -e prod --cluster context:my-cluster --bundle diagnosis.tar.gz",
    ),
    (
        "Diagnose a release by namespace and name",
        "vrooli diagnose -n preview --release vrooli-preview",
    ),
)


def command(
    namespace: Namespace = None,
    release: ReleaseName = None,
    bundle: Bundle = None,
    force: Force = False,
    timeout: Timeout = 120.0,
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Find the root causes of an unhealthy release, with consequences and remediation.

    Reads the cluster once and changes nothing. Exits with 1 if a problem is found, and with 3 if
    no problem is found but data that is required to call the release healthy could not be read, or
    objects of a recent deploy are not ready yet.
    """

    def work(listener: Listener) -> Awaitable[DiagnoseResult]:
        from vrooli.workflows.health.diagnose import DiagnoseOptions, diagnose

        requested = DiagnoseOptions(
            environments.environment(environment),
            namespace,
            cluster,
            name=release,
            archive=bundle,
            force=force,
            limit_s=timeout,
        )
        return diagnose(requested, listener)

    execute(work, show, output, debug)


def show(result: DiagnoseResult, console: Console) -> None:
    """Print required data that could not be read, then each root cause with its remediation."""
    tables.show_missing(result.missing, console)
    needed = {(item.resource, item.reason) for item in result.missing}
    for number, cause in enumerate(result.causes, 1):
        _show_cause(number, cause, console)
    for item in result.unavailable:
        if (item.resource, item.reason) in needed:
            continue
        console.print(f"Not checked: {item.resource}: {item.reason}", style="dim", markup=False)
    if any(
        item.remediation or item.command for cause in result.causes for item in cause.consequences
    ):
        console.print(FOLLOWS, style="dim", markup=False)
    console.print(f"\n{_summary(result)} ({result.rule_count} rules, {result.elapsed_s:.1f} s).")
    if result.bundle:
        console.print(f"Saved the collected data to {result.bundle}.", markup=False)
        console.print("Open page.html in the archive to read the report.")


def _summary(result: DiagnoseResult) -> str:
    where = f"{result.release} in namespace {result.namespace}"
    if result.causes:
        return f"{counted(len(result.causes), 'root cause')} found"
    if result.missing:
        return f"No problems found, but it is not known whether {where} is healthy"
    return f"{where} is healthy"


def _show_cause(number: int, cause: CauseView, console: Console) -> None:
    finding = cause.finding
    console.print(
        f"\n{number}. {finding.resource}: {finding.message}  ({finding.rule_id})",
        style="bold",
        markup=False,
    )
    for line in finding.evidence:
        console.print(f"     | {line}", style="dim", markup=False)
    _show_remedy(finding, console)
    for item in cause.consequences:
        console.print(f"   → {item.resource}: {item.message}  ({item.rule_id})", markup=False)


def _show_remedy(finding: FindingView, console: Console) -> None:
    for line in filter(None, (finding.remediation, finding.command and f"$ {finding.command}")):
        console.print(f"   {line}", style="green", markup=False)
    if finding.link:
        console.print(f"   {finding.link}", style="dim", markup=False)
