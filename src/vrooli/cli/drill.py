"""``vrooli drill``: inject faults into a release and measure what each costs."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import examples, options
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.errors import UsageError
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.drills import DrillResult

EXAMPLES = examples.epilog(
    ("Delete the primary of PostgreSQL under load", "vrooli drill postgres-deleted --load"),
    (
        "Inject all faults into staging, and write reports",
        "vrooli drill --all --load -e staging --junit drill.xml --page drill.html",
    ),
    ("Restore a copy of PostgreSQL, compare it and delete it", "vrooli drill restore"),
)

Faults = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FAULT]...",
        help="Faults of the release: postgres-deleted, postgres-lost, postgres-killed, "
        "postgres-frozen, postgres-full, pgbouncer-deleted, redis-deleted, redis-killed, "
        "sentinels-deleted, restore. Faults of the whole cluster: postgres-operator, "
        "redis-operator, vault-operator, vault-deleted, ingress-deleted, kubelet-killed, "
        "containerd-killed, etcd-killed, kube-apiserver-killed.",
        show_default=False,
    ),
]
All = Annotated[bool, typer.Option("--all", help="Inject all faults, one after the other.")]
Loaded = Annotated[
    bool,
    typer.Option(
        "--load",
        help="Put the release under load: 20 requests per second, and 20 writes per second to each "
        "database. Without it, only the time until the release is healthy is measured.",
    ),
]
InProduction = Annotated[
    bool,
    typer.Option(
        "--yes-in-production",
        help="Required for production, where requests of users will fail, and for faults of a "
        "cluster with production. Includes --yes.",
    ),
]
InSharedCluster = Annotated[
    bool,
    typer.Option(
        "--yes-to-shared-cluster",
        help="Required for faults of the whole cluster if other releases use it.",
    ),
]
CleanUp = Annotated[
    bool,
    typer.Option(
        "--clean-up", help="Inject nothing; only remove what a killed drill has left behind."
    ),
]
HealTimeout = Annotated[
    float,
    typer.Option(
        "--heal-timeout",
        min=1,
        max=1800,
        metavar="SECONDS",
        help="Limit of the time until the release is healthy without help.",
    ),
]
PostgresPause = Annotated[
    float | None,
    typer.Option(
        "--postgres-pause",
        min=0,
        metavar="SECONDS",
        help="Limit of the longest time without a write to PostgreSQL. Default: 5, or 60 if the "
        "faulted part has no other beside it.",
        show_default=False,
    ),
]
RedisPause = Annotated[
    float | None,
    typer.Option(
        "--redis-pause",
        min=0,
        metavar="SECONDS",
        help="Limit of the longest time without a write to Redis. Default: 10, or 60 if the "
        "faulted part has no other beside it.",
        show_default=False,
    ),
]
FailedReads = Annotated[
    int | None,
    typer.Option(
        "--failed-reads",
        min=0,
        metavar="NUMBER",
        help="Limit of the requests that only read and fail. Default: 0, or none if the faulted "
        "part has no other beside it.",
        show_default=False,
    ),
]
JUnit = Annotated[
    Path | None,
    typer.Option(
        "--junit", metavar="FILE", help="Also write the results as JUnit XML.", show_default=False
    ),
]
Page = Annotated[
    Path | None,
    typer.Option(
        "--page", metavar="FILE", help="Also write the results as an HTML page.", show_default=False
    ),
]


def command(
    faults: Faults = None,
    all_faults: All = False,
    load: Loaded = False,
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    in_production: InProduction = False,
    in_shared_cluster: InSharedCluster = False,
    clean_up: CleanUp = False,
    heal_timeout: HealTimeout = 240.0,
    postgres_pause: PostgresPause = None,
    redis_pause: RedisPause = None,
    failed_reads: FailedReads = None,
    junit: JUnit = None,
    page: Page = None,
    yes: prompt.Yes = False,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Inject faults into a release, and measure what each of them costs.

    After each fault, the command waits until the release is healthy and puts everything back, also
    if it is interrupted. A fault fails if the release does not heal alone, if an acknowledged write
    is lost, if writes pause for too long, or if requests that only read fail. A fault that does not
    apply to the release is reported with the reason.

    What an earlier drill has left because it was killed is removed first. Faults of the whole
    cluster are refused if other releases use it.

    Exits with 1 if a fault failed.
    """

    def work(listener: Listener) -> Awaitable[DrillResult]:
        from vrooli.drills.model import RequestedLimits
        from vrooli.workflows.drills.drill import DrillOptions, drill

        if bool(faults) + all_faults + clean_up != 1:
            raise UsageError(
                "Name the faults, or use --all or --clean-up.",
                "`vrooli drill --help` lists the faults.",
            )
        request = DrillOptions(
            environments.environment(environment),
            tuple(faults or ()),
            cluster,
            is_loaded=load,
            in_production=in_production,
            in_shared_cluster=in_shared_cluster,
            clean_up=clean_up,
            limits=RequestedLimits(heal_timeout, postgres_pause, redis_pause, failed_reads),
            junit=junit,
            page=page,
        )
        return drill(request, listener, prompt.consent(yes=yes))

    execute(work, _show, output, debug)


def _show(result: DrillResult, console: Console) -> None:
    from vrooli.workflows.drills import reports

    rows = [reports.cells(view) for view in result.drills]
    if rows:
        tables.show_rows("Faults", reports.COLUMNS, rows, console)
    for view in result.drills:
        for reason in view.reasons:
            console.print(f"{view.fault}: {view.outcome}: {reason}", markup=False, soft_wrap=True)
