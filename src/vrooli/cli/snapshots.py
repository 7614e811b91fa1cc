"""``vrooli cluster snapshot``, ``snapshots``, ``restore``, ``fork`` and ``delete-snapshot``."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli.cli import examples, options
from vrooli.cli.cluster import DEFAULT_NAME, TEXT, NameOption, show
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.events import Listener
from vrooli.grammar import format_bytes

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.clusters import (
        ClusterResult,
        SnapshotListResult,
        SnapshotResult,
    )

SNAPSHOT_EXAMPLES = examples.epilog(
    ("Save the default cluster before an experiment", "vrooli cluster snapshot before"),
    ("Save the cluster demo", "vrooli cluster snapshot --name demo"),
)
SNAPSHOTS_EXAMPLES = examples.epilog(
    ("List the snapshots of the default cluster", "vrooli cluster snapshots"),
    ("List those of the cluster demo as JSON", "vrooli cluster snapshots --name demo -o json"),
)
RESTORE_EXAMPLES = examples.epilog(
    ("Bring the default cluster back to a snapshot", "vrooli cluster restore before"),
    ("Restore without confirmation", "vrooli cluster restore before --name demo --yes"),
)
FORK_EXAMPLES = examples.epilog(
    ("Copy the default cluster as it is now", "vrooli cluster fork experiment"),
    (
        "Start a copy of a snapshot beside its cluster",
        "vrooli cluster fork experiment --snapshot before --start",
    ),
)
DELETE_SNAPSHOT_EXAMPLES = examples.epilog(
    ("Delete a snapshot of the default cluster", "vrooli cluster delete-snapshot before"),
    ("Delete without confirmation", "vrooli cluster delete-snapshot before --yes"),
)

NewSnapshot = Annotated[
    str | None,
    typer.Argument(
        metavar="[SNAPSHOT]",
        help="Name of the snapshot. Default: the time.",
        show_default=False,
    ),
]
Snapshot = Annotated[
    str,
    typer.Argument(
        metavar="SNAPSHOT", help="Name of the snapshot. `vrooli cluster snapshots` lists them."
    ),
]


def snapshot(
    snapshot: NewSnapshot = None,
    name: NameOption = DEFAULT_NAME,
    output: options.Output = TEXT,
    debug: options.Debug = False,
) -> None:
    """Save the objects, volumes and images of a cluster, all of one moment.

    A running cluster is frozen while its objects and volumes are copied. Images are shared with the
    cluster and take no space.
    """

    def work(listener: Listener) -> Awaitable[SnapshotResult]:
        from vrooli.workflows.clusters import snapshots

        return snapshots.create(name, snapshot, listener)

    execute(work, _show_snapshot, output, debug)


def snapshots(
    name: NameOption = DEFAULT_NAME, output: options.Output = TEXT, debug: options.Debug = False
) -> None:
    """List the snapshots of a cluster with their sizes."""

    def work(listener: Listener) -> Awaitable[SnapshotListResult]:
        from vrooli.workflows.clusters import snapshots

        return snapshots.list_all(name, listener)

    execute(work, _show_list, output, debug)


def restore(
    snapshot: Snapshot,
    name: NameOption = DEFAULT_NAME,
    yes: prompt.Yes = False,
    output: options.Output = TEXT,
    debug: options.Debug = False,
) -> None:
    """Bring a cluster back to a snapshot. All later changes are discarded.

    A cluster that runs is started again with the restored data. If it does not start, the former
    data come back. The snapshot is kept.
    """

    def work(listener: Listener) -> Awaitable[ClusterResult]:
        from vrooli.workflows.clusters import snapshots

        return snapshots.restore(name, snapshot, listener, prompt.consent(yes=yes))

    execute(work, show, output, debug)


def fork(
    new: Annotated[str, typer.Argument(metavar="NEW", help="Name of the new cluster.")],
    name: NameOption = DEFAULT_NAME,
    snapshot: Annotated[
        str | None,
        typer.Option(
            "--snapshot",
            metavar="SNAPSHOT",
            help="Snapshot to copy. Default: the cluster as it is now.",
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        bool, typer.Option("--start", help="Start the new cluster, even if the other one runs.")
    ] = False,
    port: options.Ports = None,
    output: options.Output = TEXT,
    debug: options.Debug = False,
) -> None:
    """Make a second cluster with the data of a cluster, and its own ports, addresses and keys.

    The new cluster is stopped unless --start is given. Without --port, it gets free ports.
    """

    def work(listener: Listener) -> Awaitable[ClusterResult]:
        from vrooli.workflows.clusters import snapshots

        ports = options.ports(port)
        return snapshots.fork(name, new, listener, snapshot=snapshot, ports=ports, start=start)

    execute(work, show, output, debug)


def delete_snapshot(
    snapshot: Snapshot,
    name: NameOption = DEFAULT_NAME,
    yes: prompt.Yes = False,
    output: options.Output = TEXT,
    debug: options.Debug = False,
) -> None:
    """Delete a snapshot of a cluster. The cluster is not changed."""

    def work(listener: Listener) -> Awaitable[SnapshotListResult]:
        from vrooli.workflows.clusters import snapshots

        return snapshots.delete(name, snapshot, listener, prompt.consent(yes=yes))

    execute(work, _show_list, output, debug)


def _show_snapshot(result: SnapshotResult, console: Console) -> None:
    item = result.snapshot
    console.print(
        f"Snapshot {item.name} of cluster {item.cluster}: {format_bytes(item.size_bytes)}. To "
        f"restore it: vrooli cluster restore {item.name} --name {item.cluster}"
    )


def _show_list(result: SnapshotListResult, console: Console) -> None:
    if not result.snapshots:
        console.print(f"Cluster {result.cluster} has no snapshots.")
    rows = [
        (item.name, f"{item.created:%Y-%m-%d %H:%M:%S}", format_bytes(item.size_bytes))
        for item in result.snapshots
    ]
    title = f"Snapshots of cluster {result.cluster}"
    tables.show_rows(title, ("name", "time (UTC)", "size"), rows, console)
    console.print(f"{format_bytes(result.free_bytes)} are free on their disk.")
