"""``vrooli status``: show the health of a release and its cluster."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import examples, options
from vrooli.cli.run import execute
from vrooli.cli.terminal import tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.status import StatusResult, WatchResult

Watch = Annotated[
    bool,
    typer.Option(
        "--watch", "-w", help="Wait until the release is healthy or has failed; print changes."
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        min=1,
        metavar="SECONDS",
        help="Timeout in seconds. Default: 120, with --watch 600.",
        show_default=False,
    ),
]

EXAMPLES = examples.epilog(
    ("Show the status of the dev environment", "vrooli status"),
    (
        "Wait up to 10 minutes until production is healthy",
        "vrooli status -e prod --cluster context:my-cluster --watch --timeout 600",
    ),
)


def command(
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    watch: Watch = False,
    timeout: Timeout = None,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Show the health of the cluster, the operators, Vault, the release and its workloads.

    Changes nothing. Exits with 1 if something is not healthy, and with 3 if required data could
    not be read. With --watch, the command also follows a deploy that another process started.
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
        execute(work, partial(_show, requested=cluster), output, debug)


def _show_watched(result: WatchResult, console: Console) -> None:
    release = result.release
    console.print(
        f"Release {release.name} in {release.namespace}: {release.status}, "
        f"revision {release.revision} {release.chart}"
    )
    if result.lock is not None:
        state = "held the lock; the process is gone" if result.lock.expired else "holds the lock"
        console.print(f"{result.lock.holder} {state}")
    tables.show_rows(
        "Objects",
        ("", "object", "detail"),
        [(item.state == "ready", item.object, item.detail) for item in result.objects],
        console,
    )
    tables.show_problems(result.problems, console)


def _show(result: StatusResult, console: Console, *, requested: str | None = None) -> None:
    tables.show_missing(result.missing, console)
    tables.show_cluster(result.cluster, console)
    tables.show_rows(
        "Operators",
        ("", "name", "version", "from", "detail"),
        [(op.ready, op.name, op.version, op.source, op.detail) for op in result.operators],
        console,
    )
    tables.show_notes((note for op in result.operators for note in op.notes), console)
    if result.vault is not None:
        console.print(f"\nVault {result.vault.version}: {result.vault.state}")
    if result.release is not None:
        release = result.release
        console.print(
            f"\nRelease {release.name} in {release.namespace}: {release.status}, "
            f"revision {release.revision} {release.chart}"
        )
        tables.show_overrides(release.overrides, console)
        if release.edited is not None:
            names = ", ".join(release.edited.workloads)
            by = release.edited.watched_by
            if release.edited.on_host:
                console.print(f"Services of {names} run on a host, by {by}")
            else:
                console.print(f"Edited files run in {names}, updated by {by}")
    tables.show_rows(
        "Workloads",
        ("", "kind", "name", "detail"),
        [(item.ready, item.kind, item.name, item.detail) for item in result.workloads],
        console,
    )
    tables.show_urls(result.urls, console)
    tables.show_packages(result.packages, console)
    if result.problems or not result.missing:
        tables.show_problems(result.problems, console)
    if result.problems and result.workloads:
        command = f"vrooli diagnose{options.repeated(result.environment, requested)}"
        console.print(f"\nRun `{command}` to find the causes.", markup=False)
