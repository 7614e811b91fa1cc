"""``vrooli logs``: print the logs of components."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import completion, examples, options
from vrooli.cli.run import execute
from vrooli.cli.terminal import tables
from vrooli.errors import UsageError
from vrooli.events import Listener

if TYPE_CHECKING:
    from vrooli.workflows.results.base import Result

Components = Annotated[
    list[str] | None,
    typer.Argument(
        autocompletion=completion.components,
        help="Components: ui, server, jobs, nsfw-detector, adminer, rotator, postgres, pgbouncer, "
        "redis or sentinel. Default: all.",
        show_default=False,
    ),
]
Follow = Annotated[
    bool,
    typer.Option(
        "--follow",
        "-f",
        help="Print new log lines as they arrive, also those of pods that replace these.",
    ),
]
Tail = Annotated[
    int | None,
    typer.Option(
        "--tail",
        "-n",
        min=0,
        metavar="LINES",
        help="Number of most recent lines of each pod. Default: 100, without components 20, with "
        "--since all.",
        show_default=False,
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="DURATION",
        help="Only lines that are not older, for example 30s, 10m or 2h.",
        show_default=False,
    ),
]
Grep = Annotated[
    str | None,
    typer.Option(
        "--grep",
        metavar="PATTERN",
        help="Only lines that match this regular expression.",
        show_default=False,
    ),
]
Raw = Annotated[bool, typer.Option("--raw", help="Print records in JSON as they were logged.")]

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

EXAMPLES = examples.epilog(
    ("Print the errors of two components", "vrooli logs server jobs --grep error"),
    ("Print what all components logged in the last 10 minutes", "vrooli logs --since 10m"),
    (
        "Follow the jobs in production",
        "vrooli logs jobs --follow -e prod --cluster context:my-cluster",
    ),
)


def command(
    components: Components = None,
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    follow: Follow = False,
    tail: Tail = None,
    since: Since = None,
    grep: Grep = None,
    raw: Raw = False,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Print the logs of components in the order of time. Secrets are redacted.

    Records that the services log as JSON are printed as text. Use `kubectl logs` for unredacted
    logs.
    """

    def work(listener: Listener) -> Awaitable[Result]:
        from vrooli.workflows.logs.logs import LogOptions, release_logs

        request = LogOptions(
            environments.environment(environment),
            cluster,
            components=tuple(dict.fromkeys(components or ())),
            tail=tail,
            since_s=None if since is None else seconds(since),
            pattern=None if grep is None else pattern(grep),
            follow=follow,
            readable=not raw and output is options.OutputFormat.TEXT,
        )
        return release_logs(request, listener)

    execute(work, tables.show_empty, output, debug)


def seconds(duration: str) -> int:
    """Parse a duration such as 90, 30s, 10m, 2h or 1d.

    Raises:
        UsageError: It is none.
    """
    match = re.fullmatch(r"(\d{1,6})([smhd]?)", duration, re.ASCII)
    if match is None or int(match[1]) == 0:
        raise UsageError(
            f"Invalid duration: {duration!r}.", "Use a number with s, m, h or d, for example 10m."
        )
    return int(match[1]) * UNITS[match[2] or "s"]


def pattern(text: str) -> re.Pattern[str]:
    """Compile a regular expression.

    Raises:
        UsageError: It is none.
    """
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(
            f"Invalid regular expression {text!r}: {error}.",
            "Put a backslash before characters with a meaning, such as [ or (.",
        ) from error
