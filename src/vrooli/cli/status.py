"""``vrooli status``: how everything is."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import options, tables
from vrooli.cli.run import execute
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results import StatusResult, WatchResult

Watch = Annotated[
    bool,
    typer.Option(
        "--watch", "-w", help="Follow each object until the release is healthy, or can't become so."
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        min=1,
        help="Seconds that looking may take at most, 120 unless given; with --watch: that it "
        "follows, 600 unless given.",
        show_default=False,
    ),
]


def command(
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    watch: Watch = False,
    timeout: Timeout = None,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Show how everything is: cluster, operators, Vault, the release and its workloads.

    Changes nothing. Ends with 1 when something isn't healthy, and says what; with 3 when not all
    of it could be seen. With --watch it attaches to a release that something else is deploying.
    """

    def follow(listener: Listener) -> Awaitable[WatchResult]:
        from vrooli.workflows.watch import WATCH_S
        from vrooli.workflows.watch import watch as attach

        where = environments.environment(environment)
        return attach(where, cluster, listener, timeout or WATCH_S)

    def work(listener: Listener) -> Awaitable[StatusResult]:
        from vrooli.workflows.status import LIMIT_S, status

        where = environments.environment(environment)
        return status(where, cluster, listener, timeout or LIMIT_S)

    if watch:
        execute(follow, _show_watched, output, debug)
    else:
        execute(work, _show, output, debug)


def _show_watched(result: WatchResult, console: Console) -> None:
    release = result.release
    console.print(
        f"Release {release.name} in {release.namespace}: {release.status}, "
        f"revision {release.revision} {release.chart}"
    )
    if result.holder is not None:
        said = "is" if result.holder.alive else "has died"
        console.print(f"{result.holder.name} {said} at work on it")
    tables.show_rows(
        "Objects",
        ("", "object", "detail"),
        [(item.state == "ready", item.object, item.detail) for item in result.objects],
        console,
    )
    tables.show_problems(result.problems, console)


def _show(result: StatusResult, console: Console) -> None:
    tables.show_missing(result.missing, console)
    tables.show_cluster(result.cluster, console)
    tables.show_rows(
        "Operators",
        ("", "name", "version", "from", "detail"),
        [(op.ready, op.name, op.version, op.source, op.detail) for op in result.operators],
        console,
    )
    if result.vault is not None:
        console.print(f"\nVault {result.vault.version}: {result.vault.state}")
    if result.release is not None:
        release = result.release
        console.print(
            f"\nRelease {release.name} in {release.namespace}: {release.status}, "
            f"revision {release.revision} {release.chart}"
        )
    tables.show_rows(
        "Workloads",
        ("", "kind", "name", "detail"),
        [(item.ready, item.kind, item.name, item.detail) for item in result.workloads],
        console,
    )
    tables.show_urls(result.urls, console)
    if result.problems or not result.missing:
        tables.show_problems(result.problems, console)
