"""Options that several commands share, each with its environment variable."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vrooli.cli import completion
from vrooli.environments import SecretsSource
from vrooli.errors import UsageError


class OutputFormat(StrEnum):
    """Output formats."""

    TEXT = "text"
    JSON = "json"


Output = Annotated[
    OutputFormat,
    typer.Option(
        "--output",
        "-o",
        envvar="VROOLI_OUTPUT",
        help="Output format: text, or json for one JSON object per line.",
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Print the traceback of an error.")]
EnvironmentName = Annotated[
    str,
    typer.Option(
        "--environment",
        "-e",
        envvar="VROOLI_ENVIRONMENT",
        metavar="NAME",
        help="Environment: dev, staging or prod.",
        autocompletion=completion.environments,
    ),
]
TargetName = Annotated[
    str,
    typer.Option(
        "--target", "-t", metavar="NAME", help="Deployment target. Only k8s-cluster exists."
    ),
]
ClusterName = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        envvar="VROOLI_CLUSTER",
        metavar="KIND[:NAME]",
        autocompletion=completion.clusters,
        help="Cluster to use: embedded, minikube, kind or context, with an optional name. "
        "Default: the running minikube profile, otherwise the embedded cluster.",
        show_default=False,
    ),
]
Secrets = Annotated[
    SecretsSource,
    typer.Option(
        "--secrets-source",
        envvar="SECRETS_SOURCE",
        help="Source of the secrets: vault (in the cluster) or file (a local .env file).",
    ),
]
SecretsFile = Annotated[
    Path | None,
    typer.Option(
        "--secrets-file",
        envvar="VROOLI_SECRETS_FILE",
        metavar="FILE",
        help="File for --secrets-source file. Created with random passwords if it does not exist. "
        "Default: .env.ENVIRONMENT in the repository.",
        show_default=False,
    ),
]
ValuesFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--values",
        "-f",
        metavar="FILE",
        help="Additional values file. Repeatable.",
        show_default=False,
    ),
]
Ports = Annotated[
    list[str] | None,
    typer.Option(
        "--port",
        metavar="NAME=NUMBER",
        help="Host port of the embedded cluster on 127.0.0.1: api, http or https, for example "
        "http=8080. 0 selects a free port. Repeatable.",
        show_default=False,
    ),
]
DiscardOverrides = Annotated[
    bool,
    typer.Option(
        "--discard-overrides",
        help="Deploy without the values that commands such as `vrooli scale` have set for the "
        "release, and remove them. By default they are merged last.",
    ),
]
Follow = Annotated[bool, typer.Option("--follow", help="Print new log lines as they arrive.")]
Tail = Annotated[
    int,
    typer.Option("--tail", min=0, metavar="LINES", help="Number of most recent lines to print."),
]

PORT_NAMES = ("api", "http", "https")
HIGHEST_PORT = 65535


def ports(assignments: list[str] | None) -> dict[str, int]:
    """Parse the values of ``--port``.

    Raises:
        UsageError: The name or the number of a port is invalid.
    """
    ports_ = {}
    for text in assignments or []:
        name, _, number = text.partition("=")
        if name not in PORT_NAMES or not number.isdecimal() or int(number) > HIGHEST_PORT:
            raise UsageError(
                f"Invalid port: {text!r}.",
                f"Use NAME=NUMBER. Names: {', '.join(PORT_NAMES)}. Numbers: 0 to {HIGHEST_PORT}.",
            )
        ports_[name] = int(number)
    return ports_


def repeated(environment: str, cluster: str | None) -> str:
    """The options that name the same release in a printed command, after a space."""
    words = [] if environment == "dev" else ["-e", environment]
    words += ["--cluster", cluster] if cluster else []
    return "".join(f" {shlex.quote(word)}" for word in words)
