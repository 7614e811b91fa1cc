"""``vrooli diagnose``: why a release isn't healthy."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import options, tables
from vrooli.cli.run import execute
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results import CauseView, DiagnoseResult, FindingView

Namespace = Annotated[
    str | None,
    typer.Option(
        "--namespace",
        "-n",
        metavar="NAME",
        help="The release's namespace. Without it: the environment's.",
        show_default=False,
    ),
]
ReleaseName = Annotated[
    str | None,
    typer.Option(
        "--release",
        metavar="NAME",
        help="The release's name. Without it: that of the one release in the namespace that -n "
        "names, else the environment's.",
        show_default=False,
    ),
]
Bundle = Annotated[
    Path | None,
    typer.Option(
        "--bundle",
        metavar="FILE.tar.gz",
        help="Keep all that was seen in an archive, without secrets, with a page to read it.",
        show_default=False,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace an archive that is there.")]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        min=1,
        help="Seconds that looking may take at most, on a cluster that answers slowly.",
    ),
]

FOLLOWS = "If what follows (→) outlives its cause: --output json has its own remedy and command."


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
    """Say why a release isn't healthy: the causes first, what follows from each below it.

    Looks at everything once and changes nothing. Ends with 1 when something is found, and with 3
    when nothing is found but something could not be seen that is needed to call it healthy.
    """

    def work(listener: Listener) -> Awaitable[DiagnoseResult]:
        from vrooli.workflows.diagnose import diagnose

        where = environments.environment(environment)
        return diagnose(
            where,
            namespace,
            cluster,
            listener,
            name=release,
            archive=bundle,
            force=force,
            limit_s=timeout,
        )

    execute(work, show, output, debug)


def show(result: DiagnoseResult, console: Console) -> None:
    """What couldn't be seen and is needed, then the causes, each with remedy and consequences."""
    tables.show_missing(result.missing, console)
    needed = {(item.what, item.why) for item in result.missing}
    for number, cause in enumerate(result.causes, 1):
        _show_cause(number, cause, console)
    for item in result.unseen:
        if (item.what, item.why) in needed:
            continue
        console.print(f"Not seen: {item.what}: {item.why}", style="dim", markup=False)
    if any(item.remedy or item.command for cause in result.causes for item in cause.follows):
        console.print(FOLLOWS, style="dim", markup=False)
    console.print(f"\n{_summary(result)} ({result.rules} rules, {result.elapsed_s:.1f} s).")
    if result.bundle:
        console.print(f"All of it is in {result.bundle}; read page.html in it.", markup=False)


def _summary(result: DiagnoseResult) -> str:
    where = f"{result.release} in namespace {result.namespace}"
    if result.causes:
        return f"{len(result.causes)} to mend"
    if result.missing:
        return f"Nothing found in what could be seen of {where}, which isn't enough to call it well"
    return f"Nothing found: {where} is well"


def _show_cause(number: int, cause: CauseView, console: Console) -> None:
    finding = cause.finding
    console.print(
        f"\n{number}. {finding.what}: {finding.found}  ({finding.name})", style="bold", markup=False
    )
    for line in finding.evidence:
        console.print(f"     | {line}", style="dim", markup=False)
    _show_remedy(finding, console)
    for item in cause.follows:
        console.print(f"   → {item.what}: {item.found}  ({item.name})", markup=False)


def _show_remedy(finding: FindingView, console: Console) -> None:
    for line in filter(None, (finding.remedy, finding.command and f"$ {finding.command}")):
        console.print(f"   {line}", style="green", markup=False)
    if finding.link:
        console.print(f"   {finding.link}", style="dim", markup=False)
