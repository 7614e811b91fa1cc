"""``vrooli cluster``: manage embedded clusters on this machine."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli.cli import completion, examples, options
from vrooli.cli.command import App
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.base import Result
    from vrooli.workflows.results.clusters import (
        AutostartResult,
        ClusterListResult,
        ClusterResult,
        KubeconfigResult,
    )

DEFAULT_NAME = "vrooli"
Name = Annotated[
    str,
    typer.Argument(
        envvar="VROOLI_CLUSTER_NAME",
        help="Name of the cluster.",
        autocompletion=completion.embedded_clusters,
    ),
]
NameOption = Annotated[
    str,
    typer.Option(
        "--name",
        envvar="VROOLI_CLUSTER_NAME",
        metavar="NAME",
        help="Name of the cluster.",
        autocompletion=completion.embedded_clusters,
    ),
]
TEXT = options.OutputFormat.TEXT

app = App(help="Manage embedded clusters.", no_args_is_help=True)


@app.command(
    epilog=examples.epilog(
        ("Start the default cluster", "vrooli cluster start"),
        ("Create a second cluster on port 8080", "vrooli cluster start demo --port http=8080"),
    )
)
def start(
    name: Name = DEFAULT_NAME,
    port: options.Ports = None,
    output: options.Output = TEXT,
    debug: options.Debug = False,
) -> None:
    """Start a cluster. Create it if it does not exist; an existing cluster keeps its data."""

    def work(listener: Listener) -> Awaitable[ClusterResult]:
        from vrooli.workflows.clusters import embedded

        return embedded.start(name, listener, ports=options.ports(port))

    execute(work, show, output, debug)


@app.command(
    epilog=examples.epilog(
        ("Stop the default cluster", "vrooli cluster stop"),
        ("Stop the cluster demo", "vrooli cluster stop demo"),
    )
)
def stop(
    name: Name = DEFAULT_NAME, output: options.Output = TEXT, debug: options.Debug = False
) -> None:
    """Stop a cluster. Its data is kept."""

    def work(listener: Listener) -> Awaitable[ClusterResult]:
        from vrooli.workflows.clusters import embedded

        return embedded.stop(name, listener)

    execute(work, show, output, debug)


@app.command(
    epilog=examples.epilog(
        ("Show the default cluster", "vrooli cluster status"),
        ("Show the cluster demo as JSON", "vrooli cluster status demo --output json"),
    )
)
def status(
    name: Name = DEFAULT_NAME, output: options.Output = TEXT, debug: options.Debug = False
) -> None:
    """Show the state of a cluster and its components. Exits with 1 if it is not healthy."""

    def work(listener: Listener) -> Awaitable[ClusterResult]:
        from vrooli.workflows.clusters import embedded

        return embedded.status(name, listener)

    execute(work, show, output, debug)


@app.command(
    epilog=examples.epilog(
        ("Delete the default cluster", "vrooli cluster delete"),
        ("Delete the cluster demo without confirmation", "vrooli cluster delete demo --yes"),
    )
)
def delete(
    name: Name = DEFAULT_NAME,
    yes: prompt.Yes = False,
    output: options.Output = TEXT,
    debug: options.Debug = False,
) -> None:
    """Delete a cluster, its data and everything it created on this machine."""

    def work(listener: Listener) -> Awaitable[ClusterResult]:
        from vrooli.workflows.clusters import embedded

        return embedded.delete(name, listener, prompt.consent(yes=yes))

    execute(work, show, output, debug)


@app.command(
    "list",
    epilog=examples.epilog(
        ("List the clusters", "vrooli cluster list"),
        ("List the clusters as JSON", "vrooli cluster list --output json"),
    ),
)
def list_(output: options.Output = TEXT, debug: options.Debug = False) -> None:
    """List the embedded clusters of this machine."""

    def work(listener: Listener) -> Awaitable[ClusterListResult]:
        from vrooli.workflows.clusters import embedded

        return embedded.list_all(listener)

    execute(work, _show_list, output, debug)


@app.command(
    epilog=examples.epilog(
        ("Show whether the default cluster starts at boot", "vrooli cluster autostart"),
        ("Start the cluster at boot", "vrooli cluster autostart --enable"),
    )
)
def autostart(
    name: Name = DEFAULT_NAME,
    enable: Annotated[
        bool | None,
        typer.Option("--enable/--disable", help="Enable or disable start at boot."),
    ] = None,
    output: options.Output = TEXT,
    debug: options.Debug = False,
) -> None:
    """Start a cluster at boot with a systemd unit. Without an option, show the current setting."""

    def work(listener: Listener) -> Awaitable[AutostartResult]:
        from vrooli.workflows.clusters import embedded

        return embedded.autostart(name, listener, enable=enable)

    execute(work, _show_autostart, output, debug)


@app.command(
    epilog=examples.epilog(
        ("Use the cluster in this shell", 'eval "$(vrooli cluster kubeconfig)"'),
        ("Add the context to your kubeconfig file", "vrooli cluster kubeconfig --merge"),
    )
)
def kubeconfig(
    name: Name = DEFAULT_NAME,
    merge: Annotated[
        bool, typer.Option("--merge", help="Also add the context to your kubeconfig file.")
    ] = False,
    output: options.Output = TEXT,
    debug: options.Debug = False,
) -> None:
    """Print the shell command that selects a cluster for kubectl."""

    def work(listener: Listener) -> Awaitable[KubeconfigResult]:
        from vrooli.workflows.clusters import embedded

        return embedded.kubeconfig(name, listener, merge=merge)

    execute(work, _show_kubeconfig, output, debug)


@app.command(
    epilog=examples.epilog(
        ("Print the log of the kubelet", "vrooli cluster logs kubelet"),
        ("Follow the log of the API server", "vrooli cluster logs kube-apiserver --follow"),
    )
)
def logs(
    component: Annotated[
        str,
        typer.Argument(
            help="Component, for example kubelet. `vrooli cluster status` lists them.",
            autocompletion=completion.cluster_components,
        ),
    ],
    name: NameOption = DEFAULT_NAME,
    tail: options.Tail = 100,
    follow: options.Follow = False,
    output: options.Output = TEXT,
    debug: options.Debug = False,
) -> None:
    """Print the log of a component of a cluster."""

    def work(listener: Listener) -> Awaitable[Result]:
        from vrooli.workflows.clusters import embedded

        return embedded.logs(name, component, listener, tail=tail, follow=follow)

    execute(work, tables.show_empty, output, debug)


SNAPSHOTS = "vrooli.cli.snapshots"
app.defer("snapshot", SNAPSHOTS, "snapshot", "SNAPSHOT_EXAMPLES")
app.defer("snapshots", SNAPSHOTS, "snapshots", "SNAPSHOTS_EXAMPLES")
app.defer("restore", SNAPSHOTS, "restore", "RESTORE_EXAMPLES")
app.defer("fork", SNAPSHOTS, "fork", "FORK_EXAMPLES")
app.defer("delete-snapshot", SNAPSHOTS, "delete_snapshot", "DELETE_SNAPSHOT_EXAMPLES")


def show(result: ClusterResult, console: Console) -> None:
    """Print a cluster and its URLs."""
    tables.show_cluster(result.cluster, console)
    tables.show_urls(result.cluster.urls, console)


def _show_list(result: ClusterListResult, console: Console) -> None:
    if not result.clusters:
        console.print("No embedded clusters found on this machine.")
    rows = [(item.name, item.state, item.version) for item in result.clusters]
    tables.show_rows("Clusters", ("name", "state", "version"), rows, console)


def _show_autostart(result: AutostartResult, console: Console) -> None:
    if result.enabled:
        console.print(f"Cluster {result.name} starts at boot ({result.unit}).")
    else:
        why = "" if result.available else ": systemd is not running"
        console.print(f"Cluster {result.name} does not start at boot{why}.")


def _show_kubeconfig(result: KubeconfigResult, console: Console) -> None:
    if result.merged_into is None:
        console.print(f"export KUBECONFIG={result.path}", highlight=False)
    else:
        console.print(f"Added context {result.context} to {result.merged_into}.")
