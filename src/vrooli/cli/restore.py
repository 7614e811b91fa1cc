"""``vrooli restore``: PostgreSQL at a moment or a point, in place or a copy; Redis, secrets."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments, shell
from vrooli.cli import examples, options, restore_redis, restore_vault
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.errors import UsageError
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.backups import (
        PostgresRestoreEndResult,
        PostgresRestoreResult,
        RestoreResult,
        TableView,
    )


class Part(StrEnum):
    """What of a release is restored."""

    POSTGRES = "postgres"
    REDIS = "redis"
    VAULT = "vault"


EXAMPLES = examples.epilog(
    (
        "Restore PostgreSQL of production to 14:05 UTC today",
        "vrooli restore --to 14:05 -e prod --cluster context:my-cluster",
    ),
    ("Bring the data of before the restore back", "vrooli restore --undo -e prod"),
    (
        "Restore a copy of a point of the dev environment",
        "vrooli restore --point 20261129-140501 --into inspection/copy",
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
        help="Moment to restore: a time of today such as 14:05, ISO 8601, or latest. UTC without "
        "an offset.",
    ),
]
PointId = Annotated[
    str,
    typer.Option(
        "--point", metavar="ID", help="Point or backup to restore, an ID of `vrooli backups`."
    ),
]
Only = Annotated[
    Part,
    typer.Option(
        "--only",
        help="redis replaces the data of Redis with that of a point, vault the values of the "
        "release's secrets in Vault with those of a point.",
    ),
]
VaultVersion = Annotated[
    list[str] | None,
    typer.Option(
        "--vault-version",
        metavar="PATH=NUMBER",
        help="With --only vault, instead of --point: mount and path of a secret of the release in "
        "Vault, and the version to restore. Repeatable.",
        show_default=False,
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
Finish = Annotated[
    bool,
    typer.Option("--finish", help="Delete the data of PostgreSQL of before the last restore."),
]
Undo = Annotated[
    bool,
    typer.Option(
        "--undo",
        help="Bring the data of PostgreSQL of before the last restore back, and delete the "
        "restored data.",
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
    only: Only = Part.POSTGRES,
    vault_version: VaultVersion = None,
    finish: Finish = False,
    undo: Undo = False,
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    repository: Repository = None,
    yes: prompt.Yes = False,
    timeout: Timeout = 3600.0,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Restore PostgreSQL to a moment or a point, or Redis or secrets in Vault to a point.

    The data of PostgreSQL is restored beside the live data, on the same volume, and compared with
    it. The command shows what the restore would take away, in rows of each table, and asks. Only
    then are both exchanged. The previous data is kept until --finish, and comes back with --undo.

    With --into, a copy is restored in another namespace, and the live data is not changed.

    With --only redis, the live data of Redis is replaced with that of a point. A new point is made
    first, so that the previous data can be brought back.

    With --only vault, the values that the release's secrets in Vault had at a point are written
    again, as new versions, and the command waits until every pod uses them, as rotate does. It
    shows the names of the keys that change, and asks. No version is deleted.
    """
    if vault_version and only is not Part.VAULT:
        raise UsageError("--vault-version requires --only vault.")
    if finish or undo:
        is_postgres = only is Part.POSTGRES
        _demand_alone(
            to, into, repository, point, is_postgres=is_postgres, finish=finish, undo=undo
        )
        _end(environment, cluster, timeout, yes, output, debug, undo=undo)
        return
    if only is not Part.POSTGRES:
        _demand_point_only(only, to, into, repository, point, vault_version)
    if only is Part.REDIS:
        restore_redis.run(environment, point, cluster, timeout, yes, output, debug)
        return
    if only is Part.VAULT:
        restore_vault.run(
            *(environment, point, vault_version or (), cluster, timeout, yes, output, debug)
        )
        return
    if not into:
        _restore_postgres(environment, to, point, cluster, repository, timeout, yes, output, debug)
        return

    def work(listener: Listener) -> Awaitable[RestoreResult]:
        from vrooli.workflows.restore import RestoreOptions, restore

        where = environments.environment(environment)
        request = RestoreOptions(where, to, point, into, cluster, repository, timeout)
        return restore(request, listener, prompt.consent(yes=yes))

    execute(work, _show, output, debug)


def _demand_point_only(
    only: Part,
    to: str,
    into: str | None,
    repository: int | None,
    point: str,
    versions: Sequence[str] | None,
) -> None:
    if to or into or repository or not (point or versions):
        subject = "Redis is" if only is Part.REDIS else "Secrets in Vault are"
        raise UsageError(
            f"{subject} restored in place, to a point.",
            f"Use `vrooli restore --only {only} --point ID`; `vrooli backups` lists the points.",
        )


def _demand_alone(
    to: str,
    into: str | None,
    repository: int | None,
    point: str,
    *,
    is_postgres: bool,
    finish: bool,
    undo: bool,
) -> None:
    if to or into or repository or point or not is_postgres or (finish and undo):
        raise UsageError(
            "--finish and --undo end the last restore of PostgreSQL, and take no other target.",
            "Use `vrooli restore --finish` or `vrooli restore --undo`.",
        )


def _restore_postgres(
    environment: str,
    to: str,
    point: str,
    cluster: str | None,
    repository: int | None,
    timeout: float,
    yes: bool,
    output: options.OutputFormat,
    debug: bool,
) -> None:
    def work(listener: Listener) -> Awaitable[PostgresRestoreResult]:
        from vrooli.workflows.restore_postgres import PostgresRestoreOptions, restore_postgres

        where = environments.environment(environment)
        request = PostgresRestoreOptions(where, to, point, cluster, repository, timeout)
        return restore_postgres(request, listener, prompt.consent(yes=yes))

    execute(work, _show_postgres, output, debug)


def _end(
    environment: str,
    cluster: str | None,
    timeout: float,
    yes: bool,
    output: options.OutputFormat,
    debug: bool,
    *,
    undo: bool,
) -> None:
    def work(listener: Listener) -> Awaitable[PostgresRestoreEndResult]:
        from vrooli.workflows.restore_end import finish_restore, undo_restore
        from vrooli.workflows.restore_postgres import PostgresRestoreOptions

        where = environments.environment(environment)
        request = PostgresRestoreOptions(where, cluster=cluster, timeout_s=timeout)
        act = undo_restore if undo else finish_restore
        return act(request, listener, prompt.consent(yes=yes))

    execute(work, _show_end, output, debug)


def _show_postgres(result: PostgresRestoreResult, console: Console) -> None:
    tables.show_steps(result, console)
    _show_tables(result.tables, ("restored", "before"), console)
    console.print(
        f"\nPostgreSQL of {result.release} has the data of "
        f"{result.moment:%Y-%m-%d %H:%M:%SZ}. No write was acknowledged for {result.pause_s:.1f} s."
    )
    tables.show_notes(result.differences, console)
    if result.returned_roles:
        console.print(
            f"Roles that were dropped since then exist again, without login and memberships: "
            f"{', '.join(result.returned_roles)}",
            markup=False,
        )
    for text, command in (
        ("To bring the previous data back", result.undo_command),
        ("To delete them", result.finish_command),
    ):
        console.print(f"{text}: `{command}`", markup=False, soft_wrap=True)


def _show_end(result: PostgresRestoreEndResult, console: Console) -> None:
    tables.show_steps(result, console)
    if result.aside:
        console.print(
            f"\nThe exchange had been interrupted. Data that Patroni created then are kept in "
            f"{result.aside} of the pod.",
            markup=False,
        )
    if not result.is_undone:
        console.print(f"\nThe data of before the restore of {result.release} were deleted.")
        return
    console.print(
        f"\nPostgreSQL of {result.release} has the data of before the restore. No write was "
        f"acknowledged for {result.pause_s:.1f} s."
    )


def _show_tables(views: Sequence[TableView], columns: tuple[str, str], console: Console) -> None:
    """Print the rows of each table in restored and in live data."""
    rows = [(item.table, item.restored_rows, item.live_rows) for item in views]
    tables.show_rows("Rows", ("table", *columns), rows, console)


def _show(result: RestoreResult, console: Console) -> None:
    tables.show_steps(result, console)
    _show_tables(result.tables, ("in the copy", "now"), console)
    at = f"at {result.moment:%Y-%m-%d %H:%M:%SZ}" if result.moment else "of the archived WAL"
    console.print(
        f"\nThe copy {result.namespace}/{result.cluster} has the data of {result.release} {at}."
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
