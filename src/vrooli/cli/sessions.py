"""``vrooli shell``, ``vrooli psql`` and ``vrooli redis-cli``: programs in the pods of a release."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import completion, examples, options
from vrooli.cli.options import OutputFormat
from vrooli.cli.run import execute
from vrooli.cli.terminal import tables
from vrooli.errors import UsageError
from vrooli.events import Listener

if TYPE_CHECKING:
    from vrooli.workflows.results.sessions import ProgramResult
    from vrooli.workflows.sessions.programs import Capturing, SessionOptions

SHELL_EXAMPLES = examples.epilog(
    ("Open a shell in a server pod", "vrooli shell server"),
    ("Run a command in the primary of PostgreSQL", "vrooli shell postgres -- patronictl list"),
    (
        "Save a file from a pod in production",
        "vrooli shell server -e prod --cluster context:my-cluster -- cat /etc/hosts > hosts",
    ),
)
PSQL_EXAMPLES = examples.epilog(
    ("Open psql in the primary", "vrooli psql"),
    ("Run a query", 'vrooli psql -c "SELECT count(*) FROM vrooli.posts"'),
    ("Look at production without changing it", "vrooli psql -e prod --read-only"),
)
REDIS_EXAMPLES = examples.epilog(
    ("Open redis-cli in the master", "vrooli redis-cli"),
    ("Run a command", "vrooli redis-cli INFO replication"),
    ("Find large keys", "vrooli redis-cli -- --bigkeys"),
)

Component = Annotated[
    str,
    typer.Argument(
        autocompletion=completion.components,
        help="Component: ui, server, jobs, nsfw-detector, adminer, rotator, postgres, pgbouncer, "
        "redis or sentinel.",
    ),
]
Command = Annotated[
    list[str] | None,
    typer.Argument(
        help="Command and its arguments, after `--`. Default: an interactive shell.",
        show_default=False,
    ),
]
Pod = Annotated[
    str | None,
    typer.Option(
        "--pod",
        metavar="NAME",
        autocompletion=completion.pods,
        help="Pod. Default: the primary or master, otherwise the newest ready pod.",
        show_default=False,
    ),
]
Sql = Annotated[
    str | None,
    typer.Option(
        "--command",
        "-c",
        metavar="SQL",
        help="Statements to run. Default: standard input, which is interactive on a terminal.",
        show_default=False,
    ),
]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        "-d",
        metavar="NAME",
        help="Database. Default: the database of the application.",
        show_default=False,
    ),
]
Timeout = Annotated[
    float,
    typer.Option("--timeout", min=1, metavar="SECONDS", help="Time limit of --command."),
]
PostgresReadOnly = Annotated[
    bool,
    typer.Option(
        "--read-only",
        help="Start transactions as read-only. A statement can still change that.",
    ),
]
RedisReadOnly = Annotated[
    bool, typer.Option("--read-only", help="Use a replica, which refuses writes.")
]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[COMMAND]...",
        help="Command and its arguments. Options of redis-cli follow `--`. Default: standard "
        "input, which is interactive on a terminal.",
        show_default=False,
    ),
]


def shell(
    component: Component,
    command: Command = None,
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    pod: Pod = None,
    output: options.Output = OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Open a shell, or run a command, in a pod of a component.

    On a terminal, the program gets a terminal. Otherwise standard input is passed to it. The exit
    code is that of the program.
    """

    def work(listener: Listener) -> Awaitable[ProgramResult]:
        from vrooli.workflows.sessions import programs

        words = command or []
        streams = _streams(output, has_command=bool(words), reads_input=True)
        return programs.shell(
            _options(environment, cluster), component, words, pod, streams, listener
        )

    execute(work, tables.show_empty, output, debug)


def psql(
    command: Sql = None,
    database: Database = None,
    read_only: PostgresReadOnly = False,
    timeout: Timeout = 60.0,
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    output: options.Output = OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Open psql, or run SQL, in the primary of PostgreSQL, as superuser.

    The tables of the services are in the schema of their user, such as "vrooli", which is not in
    the search path of the superuser. The prompt begins with the environment. The exit code is that
    of psql: 3 if a statement failed.
    """

    def work(listener: Listener) -> Awaitable[ProgramResult]:
        from vrooli.workflows.sessions import programs

        has_command = command is not None
        streams = _streams(output, has_command=has_command, reads_input=not has_command)
        request = _options(environment, cluster, read_only)
        return programs.psql(request, command, database, timeout, streams, listener)

    execute(work, tables.show_empty, output, debug)


def redis_cli(
    command: Words = None,
    read_only: RedisReadOnly = False,
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    output: options.Output = OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Open redis-cli, or run a command, in the master of Redis.

    The password is taken from the environment of the pod. The exit code is that of redis-cli.
    """

    def work(listener: Listener) -> Awaitable[ProgramResult]:
        from vrooli.workflows.sessions import programs

        words = command or []
        streams = _streams(output, has_command=bool(words), reads_input=True)
        request = _options(environment, cluster, read_only)
        return programs.redis_cli(request, words, streams, listener)

    execute(work, tables.show_empty, output, debug)


def _options(environment: str, cluster: str | None, read_only: bool = False) -> SessionOptions:
    from vrooli.workflows.sessions.programs import SessionOptions

    return SessionOptions(environments.environment(environment), cluster, read_only)


def _streams(output: OutputFormat, *, has_command: bool, reads_input: bool) -> Capturing:
    """The streams of a program; JSON keeps its outputs for the result.

    Raises:
        UsageError: JSON was requested for an interactive session.
    """
    from vrooli.cli.terminal import streams

    if output is OutputFormat.TEXT:
        return streams.ProcessStreams(reads_input=reads_input, uses_terminal=reads_input)
    if not has_command:
        raise UsageError(
            "--output json requires a command.", "Add a command, or use --output text."
        )
    return streams.Capture()
