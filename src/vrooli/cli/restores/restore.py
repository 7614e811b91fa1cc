"""``vrooli restore``: PostgreSQL at a moment or a point, in place or a copy; other parts."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from vrooli.cli import examples, options
from vrooli.cli.restores import copy, postgres, redis, vault, whole_point
from vrooli.cli.restores.request import RestoreRequest
from vrooli.cli.terminal import prompt
from vrooli.errors import UsageError


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
    (
        "Restore PostgreSQL, Redis and the secrets of production to a point",
        "vrooli restore --point 20261129-140501 --all -e prod",
    ),
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
All = Annotated[
    bool,
    typer.Option(
        "--all",
        help="With --point: restore PostgreSQL, then Redis, then the release's secrets in Vault.",
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
    all_: All = False,
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

    With --all, these three are restored to a point, one after the other. Each asks.
    """
    if vault_version and only is not Part.VAULT:
        raise UsageError("--vault-version requires --only vault.")
    request = RestoreRequest(
        environment_name=environment,
        cluster=cluster,
        to=to,
        point=point,
        into=into or "",
        repository=repository,
        vault_versions=tuple(vault_version or ()),
        timeout_s=timeout,
        yes=yes,
        output=output,
        debug=debug,
    )
    if finish or undo:
        _demand_end_only(request, only, is_other=all_ or (finish and undo))
        postgres.end(request, undo=undo)
    elif all_:
        _demand_whole_point(request, only)
        whole_point.run(request)
    elif only is Part.POSTGRES:
        (copy if into else postgres).run(request)
    else:
        _demand_point_only(request, only)
        (redis if only is Part.REDIS else vault).run(request)


def _demand_point_only(request: RestoreRequest, only: Part) -> None:
    has_point = request.point or request.vault_versions
    if request.to or request.into or request.repository or not has_point:
        subject = "Redis is" if only is Part.REDIS else "Secrets in Vault are"
        raise UsageError(
            f"{subject} restored in place, to a point.",
            f"Use `vrooli restore --only {only} --point ID`; `vrooli backups` lists the points.",
        )


def _demand_whole_point(request: RestoreRequest, only: Part) -> None:
    is_other = request.to or request.into or request.repository or only is not Part.POSTGRES
    if is_other or not request.point:
        raise UsageError(
            "--all restores PostgreSQL, Redis and secrets in place, to a point.",
            "Use `vrooli restore --point ID --all`; `vrooli backups` lists the points.",
        )


def _demand_end_only(request: RestoreRequest, only: Part, *, is_other: bool) -> None:
    has_target = request.to or request.into or request.repository or request.point
    if has_target or only is not Part.POSTGRES or is_other:
        raise UsageError(
            "--finish and --undo end the last restore of PostgreSQL, and take no other target.",
            "Use `vrooli restore --finish` or `vrooli restore --undo`.",
        )
