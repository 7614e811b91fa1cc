"""``vrooli status``: show the health of a release and its cluster."""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Sequence
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

# The component whose log is read if the cluster is degraded and all components run.
API_SERVER = "kube-apiserver"

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
        from vrooli.workflows.health.watch import WATCH_S
        from vrooli.workflows.health.watch import watch as attach

        where = environments.environment(environment)
        return attach(where, cluster, listener, timeout or WATCH_S)

    def work(listener: Listener) -> Awaitable[StatusResult]:
        from vrooli.workflows.health.status import LIMIT_S, status

        where = environments.environment(environment)
        return status(where, cluster, listener, timeout or LIMIT_S)

    if watch:
        execute(follow, partial(_show_watched, requested=cluster), output, debug)
    else:
        execute(work, partial(_show, requested=cluster), output, debug)


def _show_watched(result: WatchResult, console: Console, *, requested: str | None = None) -> None:
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
    if result.problems:
        _show_next([_diagnose(result.environment, requested)], console)


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
    if result.problems:
        _show_next(_next_commands(result, requested), console)


def _next_commands(result: StatusResult, requested: str | None) -> list[str]:
    """How to go on from the problems that do not name a command themselves."""
    lines = []
    cluster = result.cluster
    down = [item for item in cluster.components if item.state not in ("running", "off")]
    if cluster.state == "degraded":
        # The log of a component that waits for a failed one does not have the cause.
        component = min(down, key=lambda item: item.state != "failed").name if down else API_SERVER
        command = f"vrooli cluster logs {component} --name {shlex.quote(cluster.name)}"
        lines.append(f"Run `{command}` to read the log of {component}.")
    if result.workloads:
        lines.append(_diagnose(result.environment, requested))
    elif not _dependencies_are_ready(result):
        # The rules of diagnose are about a release; the checks are about what it requires.
        command = f"vrooli check{options.repeated(result.environment, requested)}"
        lines.append(f"Run `{command}` to check the requirements of a release.")
    return lines


def _dependencies_are_ready(result: StatusResult) -> bool:
    """Whether all operators that could be read are ready, and Vault, if it was installed."""
    vault_state = result.vault.state if result.vault is not None else ""
    return all(item.ready for item in result.operators) and vault_state != "not ready"


def _diagnose(environment: str, requested: str | None) -> str:
    return f"Run `vrooli diagnose{options.repeated(environment, requested)}` to find the causes."


def _show_next(lines: Sequence[str], console: Console) -> None:
    for line in ("", *lines) if lines else ():
        console.print(line, markup=False)
