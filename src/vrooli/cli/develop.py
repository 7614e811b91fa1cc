"""``vrooli develop``: set up everything and deploy a release from source."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Awaitable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments, project
from vrooli.cli import examples, options
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.releases import DevelopResult

# Commands to run next, and the cluster that needs no --cluster option.
NEXT = {
    "status": "show the health of the release",
    "logs server": "print the logs of the server",
    "test": "run the Helm tests",
    "uninstall": "uninstall the release, keep its data",
}
USUAL_CLUSTER = "embedded:vrooli"
WIDTH = max(len(f"vrooli {command}") for command in NEXT)

Watch = Annotated[bool, typer.Option("--watch", help="Run edited files in the pods until Ctrl-C.")]

EXAMPLES = examples.epilog(
    ("Set up an embedded cluster and deploy the dev environment", "vrooli develop"),
    ("Use minikube, and add a values file", "vrooli develop --cluster minikube -f my-values.yaml"),
    ("Run edited files in the pods until Ctrl-C", "vrooli develop --watch"),
)


def command(
    target: options.TargetName = environments.K8S_CLUSTER,
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    secrets_source: options.Secrets = environments.SecretsSource.VAULT,
    secrets_file: options.SecretsFile = None,
    values: options.ValuesFiles = None,
    port: options.Ports = None,
    watch: Watch = False,
    yes: prompt.Yes = False,
    discard_overrides: options.DiscardOverrides = False,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Set up a cluster, deploy Vrooli from source and print its URLs.

    Installs or updates only what is missing: host packages, programs, images, the cluster, the
    operators, Vault and the release. It can be run again at any time and continues where it
    stopped.

    With --watch, pods run the files of services/ as they are saved: Python services restart, and
    the page reloads what changed. A changed Containerfile or lock file builds that image, and a
    changed chart or values file is deployed. Ctrl-C runs the built images again.
    """

    def work(listener: Listener) -> Awaitable[DevelopResult]:
        from vrooli.workflows.development import develop
        from vrooli.workflows.development import watch as develop_watch
        from vrooli.workflows.options import DevelopOptions

        environments.target(target)
        request = DevelopOptions(
            environment=environments.environment(environment),
            cluster=cluster,
            secrets_source=secrets_source,
            secrets_file=secrets_file,
            values=tuple(values or ()),
            ports=options.ports(port),
            discard_overrides=discard_overrides,
            watch=watch,
        )
        run = develop_watch.watch if watch else develop.develop
        return run(request, listener, prompt.consent(yes=yes))

    execute(work, partial(show, scripts=scripts_off_path()), output, debug)


def scripts_off_path() -> Path | None:
    """The folder of the launcher `vrooli`; None if the shell finds `vrooli` by its name."""
    scripts = project.root() / "scripts"
    if shutil.which("vrooli") or not (scripts / "vrooli").is_file():
        return None
    return scripts


def show(result: DevelopResult, console: Console, *, scripts: Path | None) -> None:
    """Print the steps, the addresses and the next commands.

    Args:
        result: The result.
        console: Where it is printed.
        scripts: The folder of `vrooli`, if it has to be added to the PATH of the shell.
    """
    tables.show_steps(result, console)
    console.print(f"\n{result.release} is healthy in namespace {result.namespace}.")
    tables.show_urls(result.urls, console)
    for host in result.hosts:
        console.print(f"  {host} must resolve to 127.0.0.1, for example in /etc/hosts")
    console.print()
    if scripts is not None:
        console.print(f'  export PATH={shlex.quote(str(scripts))}:"$PATH"', markup=False)
    console.print(f"  export KUBECONFIG={result.kubeconfig}")
    cluster = None if result.cluster == USUAL_CLUSTER else result.cluster
    width = len(options.repeated(result.environment, cluster))
    for command, text in NEXT.items():
        line = f"vrooli {command}{options.repeated(result.environment, cluster)}"
        console.print(f"  {line:<{WIDTH + width}}  {text}")
