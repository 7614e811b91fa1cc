"""``vrooli rotate``: replace secrets of a release by new ones."""

from __future__ import annotations

from collections.abc import Awaitable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import examples, options
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.databases import RotateResult

EXAMPLES = examples.epilog(
    (
        "Replace the password of PostgreSQL",
        "vrooli rotate postgres -e prod --cluster context:my-cluster",
    ),
    ("Replace both passwords and the JWT key", "vrooli rotate all -e prod"),
    ("Enter a new token of Docker Hub at a prompt", "vrooli rotate dockerhub -e prod"),
)


class Secret(StrEnum):
    """The secrets that can be rotated."""

    POSTGRES = "postgres"
    REDIS = "redis"
    SHARED = "shared"
    DOCKERHUB = "dockerhub"
    ALL = "all"


def command(
    secret: Annotated[
        Secret,
        typer.Argument(
            help="Secret: the password of PostgreSQL or Redis, the JWT key of server and jobs "
            "(shared), the token of Docker Hub, or all that can be generated (without Docker Hub)."
        ),
    ],
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    yes: prompt.Yes = False,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout", help="Timeout of each stage, in seconds.", min=1, metavar="SECONDS"
        ),
    ] = 900.0,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Replace secrets in Vault, and wait until every pod uses the new values.

    A database accepts the new password before a pod uses it, and refuses the previous one after
    the last pod has changed; the command proves both. A rotation that was interrupted is continued
    by the next call. A token of Docker Hub is read from a prompt, or from the first line of
    standard input.
    """

    def work(listener: Listener) -> Awaitable[RotateResult]:
        from vrooli.rotation.model import GENERATED, Rotated
        from vrooli.workflows import rotate

        chosen = GENERATED if secret is Secret.ALL else (Rotated(secret.value),)
        token = prompt.read_secret("Token of Docker Hub") if secret is Secret.DOCKERHUB else ""
        where = environments.environment(environment)
        request = rotate.RotateOptions(where, chosen, cluster, token, timeout)
        return rotate.rotate(request, listener, prompt.consent(yes=yes))

    execute(work, _show, output, debug)


def _show(result: RotateResult, console: Console) -> None:
    tables.show_steps(result, console)
    for item in result.secrets:
        used = f", used by all pods after {tables.duration(item.pods_s)}" if item.pods else ""
        console.print(f"{item.secret}: version {item.version} in Vault{used}.")
