"""``vrooli restore``: a copy of PostgreSQL at a moment or a point, or Redis at a point."""

from __future__ import annotations

from collections.abc import Awaitable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments, shell
from vrooli.cli import examples, options
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.errors import UsageError
from vrooli.events import Listener
from vrooli.grammar import counted

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.backups import RedisRestoreResult, RestoreResult


class Database(StrEnum):
    """The databases of a release."""

    POSTGRES = "postgres"
    REDIS = "redis"


EXAMPLES = examples.epilog(
    (
        "Restore a copy of production's PostgreSQL at 14:05 UTC today",
        "vrooli restore --to 14:05 --into inspection -e prod --cluster context:my-cluster",
    ),
    (
        "Restore a copy of a point of the dev environment",
        "vrooli restore --point 20261129-140501 --into inspection/copy",
    ),
    (
        "Replace the data of Redis in the dev environment with that of a point",
        "vrooli restore --point 20261129-140501 --only redis",
    ),
)


Into = Annotated[
    str | None,
    typer.Option(
        "--into",
        metavar="NAMESPACE[/NAME]",
        help="Namespace of the copy, which is created if it does not exist, and the name of "
        "its PostgresCluster. Default name: RELEASE-copy.",
        show_default=False,
    ),
]
Moment = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="TIME",
        help="Moment to restore: a time of today such as 14:05, or ISO 8601. UTC without an "
        "offset.",
    ),
]
PointId = Annotated[
    str,
    typer.Option(
        "--point", metavar="ID", help="Point or backup to restore, an ID of `vrooli backups`."
    ),
]
Only = Annotated[
    Database,
    typer.Option(
        "--only",
        help="postgres restores a copy; redis replaces the live data of Redis with that of a "
        "point.",
    ),
]
Repository = Annotated[
    int | None,
    typer.Option(
        "--repository",
        min=1,
        max=4,
        metavar="NUMBER",
        help="Repository for --to. Default: the first that has the moment.",
        show_default=False,
    ),
]
Timeout = Annotated[
    float,
    typer.Option("--timeout", min=1, metavar="SECONDS", help="Time limit of the restore."),
]


def command(
    into: Into = None,
    to: Moment = "",
    point: PointId = "",
    only: Only = Database.POSTGRES,
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    repository: Repository = None,
    yes: prompt.Yes = False,
    timeout: Timeout = 3600.0,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Restore a copy of PostgreSQL in another namespace, or the data of Redis.

    The copy has the data of a moment between the first backup and now, or of a point. The live
    data is not changed. The result lists the rows of each table in both, and differences of tables,
    extensions and users.

    With --only redis, the live data of Redis is replaced with that of a point. A new point is made
    first, so that the previous data can be brought back.
    """
    if only is Database.REDIS:
        _demand_point_only(to, into, repository, point)
        _restore_redis(environment, point, cluster, timeout, yes, output, debug)
        return
    if not into:
        raise UsageError("The copy of PostgreSQL needs a namespace.", "Use --into NAMESPACE.")

    def work(listener: Listener) -> Awaitable[RestoreResult]:
        from vrooli.workflows.restore import RestoreOptions, restore

        where = environments.environment(environment)
        request = RestoreOptions(where, to, point, into, cluster, repository, timeout)
        return restore(request, listener, prompt.consent(yes=yes))

    execute(work, _show, output, debug)


def _demand_point_only(to: str, into: str | None, repository: int | None, point: str) -> None:
    if to or into or repository or not point:
        raise UsageError(
            "Redis is restored in place, to a point.",
            "Use `vrooli restore --only redis --point ID`; `vrooli backups` lists the points.",
        )


def _restore_redis(
    environment: str,
    point: str,
    cluster: str | None,
    timeout: float,
    yes: bool,
    output: options.OutputFormat,
    debug: bool,
) -> None:
    def work(listener: Listener) -> Awaitable[RedisRestoreResult]:
        from vrooli.workflows.restore_redis import RedisRestoreOptions, restore_redis

        where = environments.environment(environment)
        request = RedisRestoreOptions(where, point, cluster, timeout)
        return restore_redis(request, listener, prompt.consent(yes=yes))

    execute(work, _show_redis, output, debug)


def _show_redis(result: RedisRestoreResult, console: Console) -> None:
    tables.show_steps(result, console)
    console.print(
        f"\nRedis of {result.release} has the data of point {result.point}: "
        f"{counted(result.keys, 'key')}. It refused writes for {result.pause_s:.1f} s."
    )
    console.print(
        f"To bring the previous data back: `{result.undo_command}`", markup=False, soft_wrap=True
    )


def _show(result: RestoreResult, console: Console) -> None:
    tables.show_steps(result, console)
    tables.show_rows(
        "Rows",
        ("table", "in the copy", "now"),
        [(item.table, item.restored_rows, item.live_rows) for item in result.tables],
        console,
    )
    console.print(
        f"\nThe copy {result.namespace}/{result.cluster} has the data of {result.release} at "
        f"{result.moment:%Y-%m-%d %H:%M:%SZ}."
    )
    tables.show_notes(result.differences, console)
    namespace, name = shell.label(result.namespace), shell.segment(result.cluster)
    console.print(
        "To open it: "
        f"`kubectl exec -it -n {namespace} -c database "
        f"$(kubectl get pods -n {namespace} -o name "
        f"-l postgres-operator.crunchydata.com/cluster={name},"
        "postgres-operator.crunchydata.com/data=postgres) -- psql`",
        markup=False,
        soft_wrap=True,
    )
    console.print(
        f"To delete it: `kubectl delete postgrescluster {name} -n {namespace}`",
        markup=False,
        soft_wrap=True,
    )
