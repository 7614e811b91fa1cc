"""The options that several commands share, each with its environment variable."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vrooli.environments import SecretsSource


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
ValuesFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--values", "-f", help="More values for the chart; may be given again.", show_default=False
    ),
]
Follow = Annotated[bool, typer.Option("--follow", help="Go on as more is written.")]
Tail = Annotated[int, typer.Option("--tail", min=0, help="How many of the last lines.")]
