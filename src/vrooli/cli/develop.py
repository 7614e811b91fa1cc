"""``vrooli develop``: from a bare machine to a healthy release."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from vrooli import environments
from vrooli.cli import options, tables
from vrooli.cli.run import execute
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results import DevelopResult


def command(
    target: options.TargetName = environments.K8S_CLUSTER,
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    secrets_source: options.Secrets = environments.SecretsSource.VAULT,
    secrets_file: options.SecretsFile = None,
    values: options.ValuesFiles = None,
    port: options.Ports = None,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Bring the whole of Vrooli up, healthy, and say where to look.

    Does what is missing and nothing else: host packages, programs, images, the cluster, the
    operators, Vault, the release. Run it again at any time; it continues where it stopped.
    """

    def work(listener: Listener) -> Awaitable[DevelopResult]:
        from vrooli.workflows.develop import develop
        from vrooli.workflows.options import DevelopOptions

        environments.target(target)
        wanted = DevelopOptions(
            environment=environments.environment(environment),
            cluster=cluster,
            secrets_source=secrets_source,
            secrets_file=secrets_file,
            values=tuple(values or ()),
            ports=options.ports(port),
        )
        return develop(wanted, listener)

    execute(work, _show, output, debug)


def _show(result: DevelopResult, console: Console) -> None:
    tables.show_steps(result, console)
    console.print(f"\n{result.release} is healthy in namespace {result.namespace}.")
    tables.show_urls(result.urls, console)
    console.print(f"\n  export KUBECONFIG={result.kubeconfig}")
    console.print("  vrooli status    how it is        vrooli logs server    what it says")
    console.print("  vrooli test      its five tests   vrooli uninstall      take it away")
