"""The options that several commands share, each with its environment variable."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vrooli.environments import SecretsSource
from vrooli.errors import UsageError


class OutputFormat(StrEnum):
    """For people or for machines."""

    TEXT = "text"
    JSON = "json"


Output = Annotated[
    OutputFormat,
    typer.Option(
        "--output",
        "-o",
        envvar="VROOLI_OUTPUT",
        help="For people (text), or one JSON object per line for machines (json).",
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the trace of an error.")]
EnvironmentName = Annotated[
    str,
    typer.Option("--environment", "-e", envvar="VROOLI_ENVIRONMENT", help="dev, staging or prod."),
]
TargetName = Annotated[
    str, typer.Option("--target", "-t", help="What to run on; k8s-cluster is Kubernetes.")
]
ClusterName = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        envvar="VROOLI_CLUSTER",
        metavar="KIND[:NAME]",
        help="The cluster: embedded, minikube, kind or context, and its name. "
        "Without it: a minikube profile that runs, else embedded.",
        show_default=False,
    ),
]
Secrets = Annotated[
    SecretsSource,
    typer.Option(
        "--secrets-source",
        envvar="SECRETS_SOURCE",
        help="Where the secrets come from: Vault in the cluster, or a local .env file.",
    ),
]
SecretsFile = Annotated[
    Path | None,
    typer.Option(
        "--secrets-file",
        envvar="VROOLI_SECRETS_FILE",
        help="The file of --secrets-source file; made with random passwords if it is missing. "
        "Without it: .env.ENVIRONMENT in the repository.",
        show_default=False,
    ),
]
ValuesFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--values", "-f", help="More values for the chart; may be given again.", show_default=False
    ),
]
Ports = Annotated[
    list[str] | None,
    typer.Option(
        "--port",
        metavar="NAME=NUMBER",
        help="A port of an embedded cluster on 127.0.0.1: api, http or https, such as "
        "http=8080; 0 takes any free one. May be given again.",
        show_default=False,
    ),
]
Follow = Annotated[bool, typer.Option("--follow", help="Go on as more is written.")]
Tail = Annotated[int, typer.Option("--tail", min=0, help="How many of the last lines.")]

PORT_NAMES = ("api", "http", "https")
HIGHEST_PORT = 65535


def ports(given: list[str] | None) -> dict[str, int]:
    """The ports that ``--port`` names.

    Raises:
        UsageError: An unknown name, or no port's number.
    """
    found = {}
    for text in given or []:
        name, _, number = text.partition("=")
        if name not in PORT_NAMES or not number.isdecimal() or int(number) > HIGHEST_PORT:
            raise UsageError(
                f"{text!r} is no port.",
                f"Say NAME=NUMBER, with one of {', '.join(PORT_NAMES)} and 0 to {HIGHEST_PORT}.",
            )
        found[name] = int(number)
    return found
