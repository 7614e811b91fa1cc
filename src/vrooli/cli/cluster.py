"""``vrooli cluster …``: the embedded clusters of this machine."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli.cli import asking, options, tables
from vrooli.cli.run import execute
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results import (
        AutostartResult,
        ClusterListResult,
        ClusterResult,
        KubeconfigResult,
        Result,
    )

DEFAULT_NAME = "vrooli"
Name = Annotated[str, typer.Argument(envvar="VROOLI_CLUSTER_NAME", help="The cluster's name.")]
NameOption = Annotated[
    str, typer.Option("--name", envvar="VROOLI_CLUSTER_NAME", help="The cluster's name.")
]
TEXT = options.OutputFormat.TEXT

app = typer.Typer(help="Start, stop, look at and delete embedded clusters.", no_args_is_help=True)


@app.command()
def start(
    name: Name = DEFAULT_NAME,
    port: options.Ports = None,
    output: options.Output = TEXT,
    debug: options.Debug = False,
) -> None:
    """Start a cluster, or make it first; what is there resumes with its data."""

    def work(listener: Listener) -> Awaitable[ClusterResult]:
        from vrooli.workflows import clusters

        return clusters.start(name, listener, ports=options.ports(port))

    execute(work, _show, output, debug)


@app.command()
def stop(
    name: Name = DEFAULT_NAME, output: options.Output = TEXT, debug: options.Debug = False
) -> None:
    """Stop a cluster; its data stay."""

    def work(listener: Listener) -> Awaitable[ClusterResult]:
        from vrooli.workflows import clusters

        return clusters.stop(name, listener)

    execute(work, _show, output, debug)


@app.command()
def status(
    name: Name = DEFAULT_NAME, output: options.Output = TEXT, debug: options.Debug = False
) -> None:
    """Show a cluster's state and its components. Ends with 1 when it isn't running well."""

    def work(listener: Listener) -> Awaitable[ClusterResult]:
        from vrooli.workflows import clusters

        return clusters.status(name, listener)

    execute(work, _show, output, debug)


@app.command()
def delete(
    name: Name = DEFAULT_NAME,
    yes: asking.Yes = False,
    output: options.Output = TEXT,
    debug: options.Debug = False,
) -> None:
    """Delete a cluster with its data, and everything it made on this machine."""

    def work(listener: Listener) -> Awaitable[ClusterResult]:
        from vrooli.workflows import clusters

        return clusters.delete(name, listener, asking.consent(yes=yes))

    execute(work, _show, output, debug)


@app.command("list")
def list_(output: options.Output = TEXT, debug: options.Debug = False) -> None:
    """List the clusters of this machine."""

    def work(listener: Listener) -> Awaitable[ClusterListResult]:
        from vrooli.workflows import clusters

        return clusters.list_all(listener)

    execute(work, _show_list, output, debug)


@app.command()
def autostart(
    name: Name = DEFAULT_NAME,
    enable: Annotated[
        bool | None,
        typer.Option("--enable/--disable", help="Start it with this host, or no longer."),
    ] = None,
    output: options.Output = TEXT,
    debug: options.Debug = False,
) -> None:
    """Start a cluster with this host, by a systemd unit; without an option, say whether it is."""

    def work(listener: Listener) -> Awaitable[AutostartResult]:
        from vrooli.workflows import clusters

        return clusters.autostart(name, listener, enable=enable)

    execute(work, _show_autostart, output, debug)


@app.command()
def kubeconfig(
    name: Name = DEFAULT_NAME,
    merge: Annotated[
        bool, typer.Option("--merge", help="Add its context to your own kubeconfig file, too.")
    ] = False,
    output: options.Output = TEXT,
    debug: options.Debug = False,
) -> None:
    """Print the line that makes kubectl use a cluster: eval "$(vrooli cluster kubeconfig)"."""

    def work(listener: Listener) -> Awaitable[KubeconfigResult]:
        from vrooli.workflows import clusters

        return clusters.kubeconfig(name, listener, merge=merge)

    execute(work, _show_kubeconfig, output, debug)


@app.command()
def logs(
    component: Annotated[str, typer.Argument(help="Such as kubelet; `status` lists them.")],
    name: NameOption = DEFAULT_NAME,
    tail: options.Tail = 100,
    follow: options.Follow = False,
    output: options.Output = TEXT,
    debug: options.Debug = False,
) -> None:
    """Show the log of one of a cluster's components."""

    def work(listener: Listener) -> Awaitable[Result]:
        from vrooli.workflows import clusters

        return clusters.logs(name, component, listener, tail=tail, follow=follow)

    execute(work, tables.show_nothing, output, debug)


def _show(result: ClusterResult, console: Console) -> None:
    tables.show_cluster(result.cluster, console)
    tables.show_urls(result.cluster.urls, console)


def _show_list(result: ClusterListResult, console: Console) -> None:
    if not result.clusters:
        console.print("There is no embedded cluster on this machine.")
    rows = [(item.name, item.state, item.version) for item in result.clusters]
    tables.show_rows("Clusters", ("name", "state", "version"), rows, console)


def _show_autostart(result: AutostartResult, console: Console) -> None:
    if result.enabled:
        console.print(f"Cluster {result.name} starts with this host, by {result.unit}.")
    else:
        why = "" if result.available else ": systemd doesn't run here"
        console.print(f"Cluster {result.name} doesn't start with this host{why}.")


def _show_kubeconfig(result: KubeconfigResult, console: Console) -> None:
    if result.merged_into is None:
        console.print(f"export KUBECONFIG={result.path}", highlight=False)
    else:
        console.print(f"{result.merged_into} has the context {result.context}.")
