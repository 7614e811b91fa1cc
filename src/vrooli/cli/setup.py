"""``vrooli setup``: prepare this machine and, with a target, the cluster."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import examples, options
from vrooli.cli.run import execute
from vrooli.cli.terminal import tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from vrooli.workflows.results.base import StepsResult

Target = Annotated[
    str | None,
    typer.Option(
        "--target",
        "-t",
        metavar="NAME",
        help="Also set up this target. k8s-cluster: the cluster, the operators and Vault.",
        show_default=False,
    ),
]

EXAMPLES = examples.epilog(
    ("Install what is missing on this machine", "vrooli setup"),
    (
        "Also set up an embedded cluster with the operators and Vault",
        "vrooli setup --target k8s-cluster",
    ),
    ("Build all images again with current security updates", "vrooli setup --update-images"),
)


def command(
    target: Target = None,
    cluster: options.ClusterName = None,
    secrets_source: options.Secrets = environments.SecretsSource.VAULT,
    update_images: Annotated[
        bool,
        typer.Option(
            "--update-images",
            help="Build all images again from the current packages of Debian, with its security "
            "updates.",
        ),
    ] = False,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Install the host packages, programs and images that are missing on this machine.

    With --target k8s-cluster, also set up the cluster, the three operators and Vault, but not the
    release.
    """

    def work(listener: Listener) -> Awaitable[StepsResult]:
        from vrooli.workflows.development.setup import SetupOptions, setup

        request = SetupOptions(
            target=environments.target(target) if target else None,
            cluster=cluster,
            secrets_source=secrets_source,
            update_images=update_images,
        )
        return setup(request, listener)

    execute(work, tables.show_steps, output, debug)
